"""The service graph: what is read of X-Ray's answers, where it is drawn, and that the picture is one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.service_graph import ServiceGraph, ServiceKey, Statistics
from lab.views.service_graph import calls, services, svg
from lab.views.service_graph.layout import layers, layout


def counted(ok: int = 0, errors: int = 0, throttles: int = 0, faults: int = 0, **times: int) -> dict[str, Any]:
    """Make what X-Ray answers for a service or edge; times such as ``ms30=2``: two requests of 30 ms."""
    return {
        "SummaryStatistics": {
            "OkCount": ok,
            "ErrorStatistics": {"ThrottleCount": throttles, "OtherCount": errors, "TotalCount": errors + throttles},
            "FaultStatistics": {"OtherCount": faults, "TotalCount": faults},
            "TotalCount": ok + errors + throttles + faults,
        },
        "ResponseTimeHistogram": [{"Value": int(name[2:]) / 1000, "Count": count} for name, count in times.items()],
    }


def service(
    reference: int, name: str, kind: str = "", edges: list[dict[str, Any]] | None = None, **more
) -> dict[str, Any]:
    return {"ReferenceId": reference, "Name": name, "Type": kind, "Edges": edges or [], **more}


def to(reference: int, **more: Any) -> dict[str, Any]:
    return {"ReferenceId": reference, **more}


def graph(*answers: list[dict[str, Any]]) -> ServiceGraph:
    made = ServiceGraph()
    for answer in answers:
        made.add(answer)
    return made


QUEUE = "https://sqs.us-east-1.amazonaws.com/1/Messages"
ORDERS = [
    service(0, "orders/prod", "client", [to(1, **counted(ok=8, errors=1, faults=1, ms300=10))]),
    service(1, "orders/prod", "AWS::ApiGateway::Stage", [to(2)], Root=True, **counted(8, 1, 0, 1, ms300=9, ms900=1)),
    service(2, "Front", "AWS::Lambda", [to(3), to(4, EdgeType="link")], **counted(10, ms250=10)),
    service(3, QUEUE, "AWS::SQS::Queue", **counted(9, throttles=1, ms20=10)),
    service(4, "Store", "AWS::Lambda", [to(4)], **counted(3, ms20=3)),
]


def test_the_answers_for_several_times_are_added_up() -> None:
    early = [service(0, "a", edges=[to(1, **counted(ok=1, ms10=1))]), service(1, "b", **counted(ok=1, ms10=1))]
    late = [
        service(7, "b", **counted(ok=2, faults=1, ms10=2, ms40=1)),
        service(9, "a", edges=[to(7, **counted(ok=3, ms20=3))]),
    ]
    added = graph(early, late)
    a, b = ServiceKey("a", "", ""), ServiceKey("b", "", "")
    assert set(added.services) == {a, b}
    assert added.services[b].statistics == Statistics(total=4, ok=3, faults=1, latencies={0.01: 3, 0.04: 1})
    assert added.edges[a, b].statistics == Statistics(total=4, ok=4, latencies={0.01: 1, 0.02: 3})


@pytest.mark.parametrize(
    ("part", "value"), [(0.0, 0.01), (0.5, 0.01), (0.51, 0.02), (0.9, 0.02), (0.91, 0.5), (1, 0.5)]
)
def test_a_percentile_is_the_time_within_which_so_many_requests_ended(part: float, value: float) -> None:
    histogram = counted(10, ms10=5, ms20=4, ms500=1)
    statistics = Statistics()
    statistics.add(histogram)
    assert statistics.percentile(part) == value


def test_nothing_is_known_of_what_nobody_measured() -> None:
    assert Statistics().percentile(0.5) is None
    assert Statistics().failed == 0


def test_the_tables_go_along_with_the_requests() -> None:
    assert services(graph(ORDERS)).rows == [
        ["orders/prod", "client", *[""] * 8],
        ["orders/prod", "AWS::ApiGateway::Stage", "10", "20.0%", "1", "0", "1", "300 ms", "300 ms", "900 ms"],
        ["Front", "AWS::Lambda", "10", "0.0%", "0", "0", "0", "250 ms", "250 ms", "250 ms"],
        ["Store", "AWS::Lambda", "3", "0.0%", "0", "0", "0", "20 ms", "20 ms", "20 ms"],
        [QUEUE, "AWS::SQS::Queue", "10", "10.0%", "0", "1", "0", "20 ms", "20 ms", "20 ms"],
    ]
    assert [row[:4] for row in calls(graph(ORDERS)).rows] == [
        ["orders/prod (client)", "orders/prod (ApiGateway::Stage)", "10", "20.0%"],
        ["orders/prod (ApiGateway::Stage)", "Front (Lambda)", "0", ""],
        ["Front (Lambda)", "Store (Lambda)", "0", ""],
        ["Front (Lambda)", f"{QUEUE} (SQS::Queue)", "0", ""],
        ["Store (Lambda)", "Store (Lambda)", "0", ""],
    ]


def test_a_narrow_terminal_gets_short_names_and_the_figures_that_fit() -> None:
    columns, rows = services(graph(ORDERS), width=80)
    assert columns == ["SERVICE", "TYPE", "REQUESTS", "FAILED", "P50", "P90", "P99"]
    assert rows[-1] == ["Messages", "AWS::SQS::Queue", "10", "10.0%", "20 ms", "20 ms", "20 ms"]
    assert calls(graph(ORDERS), width=120).rows[3][:2] == ["Front (Lambda)", "Messages (SQS::Queue)"]


def test_of_messages_in_a_queue_the_time_is_how_long_they_waited() -> None:
    waited = to(1, **counted(2), EdgeType="link", ReceivedEventAgeHistogram=[{"Value": 0.25, "Count": 2}])
    found = graph([service(0, "queue", "AWS::SQS::Queue", [waited]), service(1, "Store", "AWS::Lambda", [])])
    assert calls(found).rows == [
        ["queue (SQS::Queue)", "Store (Lambda)", "2", "0.0%", "0", "0", "0", "250 ms", "250 ms", "250 ms"]
    ]


nodes = st.integers(0, 12)
edges = st.lists(st.tuples(nodes, nodes), unique=True, max_size=40)


@given(edges)
def test_every_call_goes_to_a_later_layer_except_for_what_leads_back(pairs: list[tuple[int, int]]) -> None:
    layer = layers(range(13), pairs)
    assert set(layer) == set(range(13))
    backwards = [pair for pair in pairs if layer[pair[0]] >= layer[pair[1]]]
    for source, destination in backwards:
        assert source in reachable(destination, pairs), "it is turned back, and closes no circle"


def reachable(start: int, pairs: list[tuple[int, int]]) -> set[int]:
    found = {start}
    while more := {destination for source, destination in pairs if source in found} - found:
        found |= more
    return found


@given(edges)
def test_nothing_is_drawn_over_something_else(pairs: list[tuple[int, int]]) -> None:
    places = layout(range(13), pairs)
    taken = sorted((layer, middle - 0.5, middle + 0.5) for layer, middle in places.nodes.values())
    assert all(top >= -1e-9 for _, top, _ in taken)
    for (layer, _, bottom), (next_layer, top, _) in pairwise(taken):
        assert layer != next_layer or top >= bottom - 1e-9
    for way in places.edges:
        for layer, height in way[1:-1]:
            assert not any(layer == own and top < height < bottom for own, top, bottom in taken)


def test_a_chain_of_calls_is_a_straight_line() -> None:
    places = layout("abcd", [("a", "b"), ("b", "c"), ("c", "d")])
    assert places.nodes == {"a": (0, 0.5), "b": (1, 0.5), "c": (2, 0.5), "d": (3, 0.5)}


def test_edges_do_not_cross_where_they_need_not() -> None:
    places = layout("abxy", [("a", "y"), ("b", "x")])
    assert (places.nodes["a"][1] < places.nodes["b"][1]) == (places.nodes["y"][1] < places.nodes["x"][1])


def test_the_picture_has_every_service_and_every_call_with_their_figures() -> None:
    picture = ET.fromstring(svg(graph(ORDERS), "Orders & more"))  # noqa: S314 - our own
    texts = ["".join(element.itertext()) for element in picture.iter()]
    assert "Orders & more" in texts
    assert "10 req. · p50 300 ms · 20% failed" in texts
    assert "10 · 300 ms" in texts
    titles = [text for text in texts if "requests" in text]
    assert any(
        "orders/prod (ApiGateway::Stage): 10 requests, 8 ok, 1 error, 1 fault, p50 300 ms" in one for one in titles
    )
    assert sum(1 for element in picture.iter() if "marker-end" in element.attrib) == 5
    assert sum(1 for element in picture.iter() if "stroke-dasharray" in element.attrib) == 2  # A link, and the legend.


@given(st.lists(st.tuples(st.text(max_size=40), st.sampled_from(["", "client", "remote"])), max_size=6), edges)
def test_whatever_services_are_called_the_picture_is_well_formed(named: list[tuple[str, str]], pairs) -> None:
    inside = [pair for pair in pairs if max(pair) < len(named)]
    answer = [
        service(number, name, kind, [to(end, **counted(1, ms1=1)) for start, end in inside if start == number])
        for number, (name, kind) in enumerate(named)
    ]
    ET.fromstring(svg(graph(answer), 'a "title" <&>'))  # noqa: S314 - our own
