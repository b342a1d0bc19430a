"""The service graph has a node for each service and an edge for each call, with what came of the requests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.xray.service_graph import percentile, service_graph
from lab.xray.traces import assemble, with_inferred

from .xray_documents import START, TRACE_ID, embedded, published, segment

OTHER_TRACE = "1-5759e988-000000000000000000000001"


def graph_of(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    ids = dict.fromkeys(document["trace_id"] for document in documents)
    return service_graph(
        with_inferred(assemble(one, [json.dumps(document) for document in documents if document["trace_id"] == one]))
        for one in ids
    )


def edges_of(services: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Name the edges by the types of both ends, or by the name of what has no type."""
    names = {service["ReferenceId"]: service.get("Type") or service["Name"] for service in services}
    return {
        (names[service["ReferenceId"]], names[edge["ReferenceId"]]) for service in services for edge in service["Edges"]
    }


def service(services: list[dict[str, Any]], name: str, kind: str | None = None) -> dict[str, Any]:
    [found] = [one for one in services if one["Name"] == name and one.get("Type") == kind]
    return found


def counts(statistics: dict[str, Any]) -> tuple[int, int, int, int]:
    """Tell how many requests were well, throttled, errors and faults."""
    errors = statistics["ErrorStatistics"]
    return (
        statistics["OkCount"],
        errors["ThrottleCount"],
        errors["OtherCount"],
        statistics["FaultStatistics"]["TotalCount"],
    )


def test_the_published_trace_gives_its_graph() -> None:
    services = graph_of(*published("scorekeep"))
    assert edges_of(services) == {
        ("client", "AWS::ElasticBeanstalk::Environment"),
        ("AWS::ElasticBeanstalk::Environment", "AWS::Lambda"),
        ("AWS::ElasticBeanstalk::Environment", "AWS::DynamoDB::Table"),
        ("AWS::Lambda", "AWS::Lambda::Function"),
        ("AWS::Lambda::Function", "AWS::SNS"),
    }
    assert [one["Name"] for one in services if one.get("Root")] == ["Scorekeep"]
    assert service(services, "scorekeep-user", "AWS::DynamoDB::Table")["State"] == "unknown"
    assert service(services, "random-name", "AWS::Lambda::Function")["AccountId"] == "123456789012"


def test_an_edge_tells_what_the_caller_saw_and_a_node_what_the_callee_did() -> None:
    call = embedded(2, 0, 0.9, namespace="remote", name="prices")
    services = graph_of(
        segment(1, subsegments=[call]), segment(3, 0.2, 0.4, parent_id=f"{2:016x}", name="prices", error=True)
    )
    prices = service(services, "prices")
    [edge] = service(services, "service-1")["Edges"]
    assert edge["ReferenceId"] == prices["ReferenceId"]
    assert counts(edge["SummaryStatistics"]) == (1, 0, 0, 0)
    assert counts(prices["SummaryStatistics"]) == (0, 0, 1, 0)
    assert edge["ResponseTimeHistogram"] == [{"Value": 0.9, "Count": 1}]
    assert prices["ResponseTimeHistogram"] == [{"Value": 0.2, "Count": 1}]


@pytest.mark.parametrize(
    ("flags", "counted"),
    [
        ({}, (1, 0, 0, 0)),
        ({"error": True}, (0, 0, 1, 0)),
        ({"error": True, "throttle": True}, (0, 1, 0, 0)),
        ({"fault": True}, (0, 0, 0, 1)),
        ({"error": True, "throttle": True, "fault": True}, (0, 0, 0, 1)),
    ],
)
def test_a_request_is_counted_once_by_the_worst_that_happened(flags: dict[str, bool], counted: tuple[int, ...]) -> None:
    assert counts(service(graph_of(segment(1, **flags)), "service-1")["SummaryStatistics"]) == counted


def test_a_request_that_goes_on_is_not_counted_yet() -> None:
    services = graph_of(segment(1, end=None))
    assert service(services, "service-1")["SummaryStatistics"]["TotalCount"] == 0


def test_the_same_service_is_one_node_for_all_traces() -> None:
    requests = [segment(1, end=end, trace_id=f"1-5759e988-{n:024x}") for n, end in enumerate((1, 2, 2))]
    [node] = [one for one in graph_of(*requests) if one.get("Type") != "client"]
    assert node["SummaryStatistics"]["TotalCount"] == 3
    assert node["SummaryStatistics"]["TotalResponseTime"] == 5
    assert node["ResponseTimeHistogram"] == [{"Value": 1, "Count": 1}, {"Value": 2, "Count": 2}]
    assert (node["StartTime"], node["EndTime"]) == (START, START + 2)


def test_a_trace_that_another_one_began_is_linked_to_it_and_has_no_client() -> None:
    sent = embedded(2, 0, 0.1, namespace="aws", name="SQS", aws={"queue_url": "https://queue"})
    link = {"trace_id": TRACE_ID, "id": f"{2:016x}"}
    consumer = segment(3, 1.1, 2, trace_id=OTHER_TRACE, name="store", links=[link])
    services = graph_of(segment(1, subsegments=[sent]), consumer)
    [edge] = service(services, "https://queue", "AWS::SQS::Queue")["Edges"]
    assert edge["EdgeType"] == "link"
    assert edge["ReceivedEventAgeHistogram"] == [{"Value": 1, "Count": 1}]
    assert [one["Name"] for one in services if one.get("Type") == "client"] == ["service-1"]


def test_a_message_is_one_request_to_a_function_whose_handler_names_the_sender_too() -> None:
    sent = embedded(2, 0, 0.1, namespace="aws", name="SQS", aws={"queue_url": "https://queue"})
    links = [{"trace_id": TRACE_ID, "id": f"{2:016x}"}]
    function = segment(3, 1.1, 2, trace_id=OTHER_TRACE, name="store", origin="AWS::Lambda", links=links)
    handler = embedded(5, 1.3, 1.9, links=links)
    own = segment(4, 1.2, 2, trace_id=OTHER_TRACE, name="store", origin="AWS::Lambda::Function", subsegments=[handler])
    services = graph_of(segment(1, subsegments=[sent]), function, {**own, "parent_id": f"{3:016x}"})
    [edge] = service(services, "https://queue", "AWS::SQS::Queue")["Edges"]
    assert edge["ReferenceId"] == service(services, "store", "AWS::Lambda")["ReferenceId"]
    assert edge["SummaryStatistics"]["TotalCount"] == 1


def test_a_link_to_a_trace_that_is_not_there_leads_nowhere() -> None:
    services = graph_of(segment(1, links=[{"trace_id": OTHER_TRACE, "id": "0" * 16}]))
    assert edges_of(services) == {("client", "service-1")}


def test_subsegments_without_their_segment_are_no_services() -> None:
    assert graph_of({**embedded(2), "trace_id": TRACE_ID, "type": "subsegment", "parent_id": f"{1:016x}"}) == []


def test_a_percentile_is_the_time_within_which_so_many_requests_ended() -> None:
    histogram = [{"Value": 3.0, "Count": 1}, {"Value": 1.0, "Count": 90}, {"Value": 2.0, "Count": 9}]
    assert [percentile(histogram, share) for share in (0.5, 0.9, 0.91, 0.99, 1)] == [1, 1, 2, 2, 3]
    assert percentile([], 0.5) is None


@given(st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=50), st.floats(0.01, 1))
def test_a_percentile_has_at_least_its_share_below_it(times: list[float], share: float) -> None:
    histogram = [{"Value": time, "Count": 1} for time in times]
    found = percentile(histogram, share)
    assert found is not None
    assert sum(time <= found for time in times) >= share * len(times) - 1e-6
