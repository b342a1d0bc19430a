"""Traces are read of X-Ray's API within its limits: six hours at a time, five whole traces at once, page by page."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab import service_graph, traces
from lab.errors import LabError, UsageError
from lab.views.traces import rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NOW = 1_700_000_000
HOUR = 3600


def trace_id(number: int, at: int = NOW - 1) -> str:
    return f"1-{at:08x}-{number:024x}"


def summary(number: int, at: int = NOW - 1, **more: Any) -> dict[str, Any]:
    return {"Id": trace_id(number, at), "StartTime": datetime.fromtimestamp(at, tz=timezone.utc), **more}


class FakeXRay:
    """An X-Ray that notes what it is asked, and answers with pages of two."""

    def __init__(
        self, summaries: Sequence[dict[str, Any]] = (), linked: Mapping[int, Sequence[int]] | None = None
    ) -> None:
        self.asked: list[dict[str, Any]] = []
        self._summaries = summaries
        self._linked = linked or {}

    def get_paginator(self, operation: str) -> SimpleNamespace:
        def paginate(**parameters: Any) -> Iterator[dict[str, Any]]:
            self.asked.append(parameters)
            key, found = getattr(self, operation)(parameters)
            for start in range(0, max(1, len(found)), 2):
                yield {key: found[start : start + 2]}

        return SimpleNamespace(paginate=paginate)

    def get_trace_summaries(self, asked: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        start, end = asked["StartTime"], asked["EndTime"]
        assert 0 < end - start <= 6 * HOUR
        return "TraceSummaries", [one for one in self._summaries if start <= int(one["Id"][2:10], 16) < end]

    def batch_get_traces(self, asked: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        numbers = [int(one[11:], 16) for one in asked["TraceIds"]]
        assert 0 < len(numbers) <= 5
        assert len(set(numbers)) == len(numbers)
        return "Traces", [self._trace(number) for number in numbers if number in self._linked]

    def get_groups(self, _: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        return "Groups", [{"GroupName": name} for name in ("Default", "slow", "failed")]

    def get_service_graph(self, asked: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        assert 0 < asked["EndTime"] - asked["StartTime"] <= 6 * HOUR
        assert asked["GroupName"] == "slow"
        # The edge leads from the first page to the second.
        edge = {"ReferenceId": 2, "SummaryStatistics": {"TotalCount": 1, "OkCount": 1}}
        services = [{"ReferenceId": number, "Name": name, "Edges": []} for number, name in enumerate("abc")]
        return "Services", [{**services[0], "Edges": [edge]}, *services[1:]]

    def _trace(self, number: int) -> dict[str, Any]:
        document = {
            "id": f"{number:016x}",
            "name": "front",
            "trace_id": trace_id(number),
            "start_time": NOW,
            "end_time": NOW + 1,
            "links": [{"trace_id": trace_id(link), "id": f"{link:016x}"} for link in self._linked[number]],
        }
        return {"Id": trace_id(number), "Segments": [{"Id": document["id"], "Document": json.dumps(document)}]}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces.time, "time", lambda: NOW - 0.5)


@pytest.mark.parametrize(("hours", "asked"), [(1, [1]), (6, [6]), (7, [6, 1]), (24, [6, 6, 6, 6])])
def test_a_long_time_is_asked_for_in_parts_without_a_gap(hours: int, asked: list[int]) -> None:
    windows = list(traces.windows(hours * HOUR))
    assert [(one["EndTime"] - one["StartTime"]) // HOUR for one in windows] == asked
    assert windows[0]["EndTime"] == NOW, "the second that has just begun counts"
    assert [one["StartTime"] for one in windows[:-1]] == [one["EndTime"] for one in windows[1:]]
    assert windows[-1]["StartTime"] == NOW - hours * HOUR


def test_the_newest_traces_come_first_and_older_ones_are_not_asked_for_in_vain() -> None:
    xray = FakeXRay([summary(number, NOW - number * HOUR) for number in (5, 1, 3, 8, 2, 14)])
    found = traces.summaries(xray, seconds=24 * HOUR, limit=3)
    assert [one.id for one in found] == [trace_id(number, NOW - number * HOUR) for number in (1, 2, 3)]
    assert len(xray.asked) == 1
    assert len(traces.summaries(xray, seconds=24 * HOUR, limit=5)) == 5
    assert len(xray.asked) == 1 + 2
    assert len(traces.summaries(xray, seconds=24 * HOUR)) == 6


def test_a_summary_is_what_xray_says_of_a_trace() -> None:
    one = traces.Summary.of(
        summary(
            1,
            Http={"HttpMethod": "POST", "HttpURL": "https://x.example.com/prod/orders?a=1", "HttpStatus": 429},
            ResponseTime=0.25,
            HasError=True,
            HasThrottle=True,
            HasFault=False,
            IsPartial=True,
            EntryPoint={"Name": "orders/prod"},
            Annotations={
                "total": [{"AnnotationValue": {"NumberValue": 5.0}}, {"AnnotationValue": {"NumberValue": 7.0}}],
                "paid": [{"AnnotationValue": {"BooleanValue": False}}],
            },
        )
    )
    assert one.flags == ("error", "throttle", "partial")
    assert one.annotations == {"total": [5.0, 7.0], "paid": [False]}
    flags = "error, throttle, partial"
    assert rows([one], brief=False) == [
        [
            trace_id(1),
            "2023-11-14T22:13:19.000+00:00",
            "POST https://x.example.com/prod/orders?a=1",
            "429",
            "250 ms",
            flags,
            "2",
        ]
    ]
    assert rows([one], brief=True) == [[trace_id(1)[:16], "22:13:19", "POST /prod/orders", "429", "250 ms", flags, "2"]]
    assert json.dumps(one.as_json())


def test_of_a_trace_without_http_the_service_is_named_and_the_time_is_that_of_its_id() -> None:
    [row] = rows([traces.Summary.of({"Id": trace_id(1), "EntryPoint": {"Name": "Store"}})], brief=True)
    assert row == [trace_id(1)[:16], "22:13:19", "Store", "", "", "", "0"]


def test_in_a_terminal_ids_are_as_long_as_tells_them_apart() -> None:
    ids = [row[0] for row in rows([traces.Summary.of(summary(number)) for number in (0x10, 0x20)], brief=True)]
    assert ids == [trace_id(0x10)[:34], trace_id(0x20)[:34]]


def test_the_beginning_of_an_id_is_enough_if_there_is_one_such_trace() -> None:
    xray = FakeXRay([summary(1), summary(2, NOW - 2)], linked={1: [], 2: []})
    assert traces.find(xray, trace_id(1)[:12].upper(), seconds=HOUR).id == trace_id(1)
    assert traces.find(xray, trace_id(2).upper(), seconds=1).id == trace_id(2)


@pytest.mark.parametrize(
    ("beginning", "error", "said"),
    [
        ("1-", UsageError, "2 traces begin with 1-: .* Write more of the id"),
        ("1-0", LabError, "No trace begins with 1-0: `lab traces list`"),
        (trace_id(9), LabError, "There is no trace 1-.*9: `lab traces list`"),
    ],
)
def test_an_id_of_no_trace_or_of_several_is_refused(beginning: str, error: type[LabError], said: str) -> None:
    with pytest.raises(error, match=said):
        traces.find(FakeXRay([summary(1), summary(2)]), beginning, seconds=HOUR)


def test_whole_traces_come_five_at_once_in_the_order_in_which_they_were_asked_for() -> None:
    xray = FakeXRay(linked={number: [] for number in range(20) if number != 7})
    found = traces.get(xray, [trace_id(number) for number in (12, 3, 7, 1, 2, 4, 5, 6, 8, 9, 10)])
    assert [int(one.id[11:], 16) for one in found] == [12, 3, 1, 2, 4, 5, 6, 8, 9, 10]
    assert [len(one["TraceIds"]) for one in xray.asked] == [5, 5, 1]


def test_links_are_followed_to_the_end_and_never_twice() -> None:
    xray = FakeXRay(linked={1: [2, 3], 2: [4, 1], 3: [4, 5], 4: [2]})
    [first] = traces.get(xray, [trace_id(1)])
    followed, left_out = traces.linked(xray, first, limit=10)
    assert [int(one.id[11:], 16) for one in followed] == [2, 3, 4]
    assert left_out == 0


def test_no_more_links_are_followed_than_are_wanted() -> None:
    xray = FakeXRay(linked={number: [] for number in range(1, 30)} | {0: list(range(1, 30))})
    [first] = traces.get(xray, [trace_id(0)])
    followed, left_out = traces.linked(xray, first, limit=7)
    assert [int(one.id[11:], 16) for one in followed] == list(range(1, 8))
    assert left_out == 22


def test_an_edge_from_one_page_to_another_is_in_the_graph() -> None:
    graph = service_graph.service_graph(FakeXRay(), seconds=7 * HOUR, group="slow")
    [edge] = graph.edges.values()
    assert (edge.source.name, edge.destination.name, edge.statistics.total) == ("a", "c", 2)


@pytest.mark.parametrize(
    ("expression", "group", "sent"),
    [
        (None, None, None),
        ("fault OR error", None, "fault OR error"),
        (None, 'my "own"', 'group.name = "my \\"own\\""'),
        ("fault OR error", "slow", 'group.name = "slow" AND (fault OR error)'),
        ('rootcause.fault.service { name = "x" }', None, 'rootcause.fault.service { name = "x" }'),
    ],
)
def test_a_filter_expression_without_a_mistake_is_sent_as_it_is(expression, group, sent) -> None:
    assert traces.checked(expression, group) == sent


def test_a_mistake_in_a_filter_expression_is_pointed_at() -> None:
    with pytest.raises(UsageError) as refused:
        traces.checked("fault AND servce()", None)
    assert str(refused.value).splitlines() == [
        "--filter: There is no keyword servce; did you mean service?",
        "  fault AND servce()",
        "            ^",
    ]


def test_a_group_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    traces.require_group(FakeXRay(), "slow")
    with pytest.raises(UsageError, match=r"There is no group slo\. The groups are: Default, failed, slow\."):
        traces.require_group(FakeXRay(), "slo")
