"""The timeline: every part of a trace once, in its place, with what went wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.views import timeline
from lab.xray.traces import assemble, with_inferred
from tests.unit.xray_documents import TRACE_ID, apart, embedded, published, segment

if TYPE_CHECKING:
    from lab.xray.model import Trace


def trace(*documents: dict[str, Any]) -> Trace:
    return assemble(TRACE_ID, [json.dumps(document) for document in documents])


def drawn(trace: Trace, width: int = 100, *, verbose: bool = False) -> list[str]:
    return [line.plain.rstrip() for line in timeline.lines(trace, width=width, verbose=verbose)]


def names(trace: Trace) -> list[str]:
    return [row.guide + row.name for row in timeline.rows(trace)]


def test_the_trace_of_aws_page_is_a_tree_in_which_what_was_called_is_told_by_the_call() -> None:
    assert [
        (row.guide + row.name, row.kind) for row in timeline.rows(with_inferred(trace(*published("scorekeep"))))
    ] == [
        ("Scorekeep", "AWS::ElasticBeanstalk::Environment"),
        ("├─ Lambda Invoke", "aws"),
        ("│  └─ random-name", "AWS::Lambda"),
        ("│     └─ random-name", "AWS::Lambda::Function"),
        ("│        ├─ Initialization", ""),
        ("│        ├─ annotations", ""),
        ("│        └─ SNS Publish", "AWS::SNS"),
        ("└─ ## UserModel.saveUser", ""),
        ("   └─ DynamoDB UpdateItem scorekeep-user", "AWS::DynamoDB::Table"),
    ]


def test_bars_and_times_are_to_scale() -> None:
    parts = [embedded(2, 0.5, 1), embedded(3, 1, 2), embedded(4, 1.5, 1.505)]
    shown = drawn(trace(segment(1, 0, 2, subsegments=parts)), width=78)
    assert [line[38:] for line in shown[1:]] == [
        "█" * 40,
        " " * 10 + "█" * 10,
        " " * 20 + "█" * 20,
        " " * 30 + "█",
    ]
    assert [line[12:38].split() for line in shown] == [
        ["START", "TOOK", "HTTP"],
        ["0.0", "ms", "2.00", "s"],
        ["500", "ms", "500", "ms"],
        ["1.00", "s", "1.00", "s"],
        ["1.50", "s", "5.0", "ms"],
    ]


def test_what_runs_has_no_end_yet() -> None:
    shown = drawn(trace(segment(1, 0, 1), segment(2, 0.5, None)))
    assert "running" in shown[2]
    assert shown[2].endswith("░")
    assert "█" not in shown[2]


def test_what_went_wrong_is_said_below_the_part() -> None:
    raised = {
        "id": "a" * 16,
        "type": "ValueError",
        "message": "no such\norder",
        "stack": [{"path": "front.py", "line": 12}],
    }
    failed = trace(
        segment(1, fault=True, cause="a" * 16, http={"response": {"status": 502}}),
        segment(2, error=True, throttle=True),
        segment(3, fault=True, cause={"exceptions": [raised, {"id": "b" * 16, "message": "by that"}]}),
    )
    shown = drawn(failed)
    assert " 502 " in shown[1]
    assert shown[2] == "  fault: ValueError: no such order"
    assert shown[4] == "  throttle, error"
    assert shown[6:8] == ["  fault: ValueError: no such order", "  by that"]
    assert not any("front.py" in line for line in shown)
    assert "  front.py:12" in drawn(failed, verbose=True)


def test_annotations_are_shown_to_who_asks() -> None:
    annotated = trace(segment(1, annotations={"order_id": "4711", "paid": True}))
    assert drawn(annotated, verbose=True)[2:] == ["  order_id = 4711", "  paid = True"]
    assert len(drawn(annotated)) == 2


def test_a_call_says_what_it_was_for() -> None:
    calls = [
        embedded(2, name="DynamoDB", namespace="aws", aws={"operation": "PutItem", "table_name": "Orders"}),
        embedded(
            3, name="SQS", namespace="aws", aws={"operation": "SendMessage", "queue_url": "https://sqs.x/1/Messages"}
        ),
        embedded(4, name="api.example.com", namespace="remote"),
    ]
    rows = timeline.rows(with_inferred(trace(segment(1, subsegments=calls))))
    assert [(row.name, row.kind) for row in rows[1:]] == [
        ("DynamoDB PutItem Orders", "AWS::DynamoDB::Table"),
        ("SQS SendMessage Messages", "AWS::SQS::Queue"),
        ("api.example.com", "remote"),
    ]


def test_what_belongs_to_nothing_that_was_received_is_shown_and_said() -> None:
    shown = drawn(trace(segment(1), apart(3, parent=2, start=0.5)))
    assert shown[2].startswith("service-3")
    assert shown[3] == "  what it belongs to was not received"


def test_segments_that_call_each_other_in_a_circle_are_shown_once() -> None:
    circle = trace(segment(1, parent_id=f"{2:016x}"), segment(2, parent_id=f"{1:016x}"))
    assert names(circle) == ["service-1", "└─ service-2"]


def test_nothing_in_a_trace_commands_the_terminal() -> None:
    hostile = "\x1b[2J\x07"
    raised = {"exceptions": [{"id": "a" * 16, "message": hostile}]}
    part = embedded(2, name=hostile, annotations={"a": hostile}, fault=True, cause=raised)
    for line in drawn(trace(segment(1, subsegments=[part])), verbose=True):
        assert line.isprintable()


def test_long_names_are_cut_where_the_terminal_is_narrow() -> None:
    shown = drawn(trace(segment(1, name="n" * 200)), width=60)
    assert all(len(line) <= 60 for line in shown)
    assert "…" in shown[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0 ms"), (0.0042, "4.2 ms"), (0.0123, "12 ms"), (0.9994, "999 ms"), (0.9999, "1.00 s"), (75.5, "75.50 s")],
)
def test_times_are_written_for_people(value: float, text: str) -> None:
    assert timeline.seconds(value) == text


def test_a_program_gets_every_part_with_its_parent() -> None:
    [first, second] = timeline.cells(trace(segment(1, subsegments=[embedded(2, 0.25, None, error=True)])))
    assert first == [f"{1:016x}", "", "service-1", "", "0.000000", "1.000000", "", "", ""]
    assert second == [f"{2:016x}", f"{1:016x}", "service-2", "", "0.250000", "", "", "error", ""]


numbers = st.integers(1, 8)


@given(
    st.lists(st.tuples(numbers, numbers, st.floats(0, 9), st.floats(0, 9), st.booleans(), st.booleans()), min_size=1),
    st.integers(20, 200),
)
def test_whatever_a_trace_is_made_of_every_part_is_drawn_once(parts: list[Any], width: int) -> None:
    documents = []
    for number, parent, start, took, is_segment, running in parts:
        fields = {"namespace": "aws"} if took > 5 else {}
        end = None if running else start + took
        if is_segment:
            documents.append(segment(number, start, end, **fields, parent_id=f"{parent:016x}"))
        else:
            documents.append(apart(number, parent, start, end, **fields))
    received = trace(*documents)
    for one in (received, with_inferred(received)):
        assert sorted(row.part.id for row in timeline.rows(one)) == sorted(part.id for part in received.walk())
        assert drawn(one, width, verbose=True)
