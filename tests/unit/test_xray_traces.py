"""A trace is the same in whatever order, number and pieces its documents came."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.xray.traces import assemble, document_of, with_inferred

from .xray_documents import TRACE_ID, apart, embedded, published, segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.xray.model import Segment, Trace


def assembled(*documents: dict[str, Any]) -> Trace:
    return assemble(TRACE_ID, map(json.dumps, documents))


def drawn(parts: Sequence[Segment]) -> list[Any]:
    """Show who is below whom, by number."""
    return [[int(part.id, 16), drawn(part.subsegments)] if part.subsegments else int(part.id, 16) for part in parts]


@st.composite
def requests(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Make the documents of a request: segments with subsegments, embedded or apart, each perhaps in progress first."""
    documents: list[dict[str, Any]] = []
    count = draw(st.integers(1, 8))
    known = [(1, False)]
    documents.append(segment(1))
    for number in range(2, count + 2):
        parent, _ = draw(st.sampled_from(known))
        kind = draw(st.sampled_from(["segment", "apart", "embedding"]))
        start = draw(st.integers(0, 3)) / 10
        if kind == "segment":
            document = segment(number, start, parent_id=f"{parent:016x}")
        else:
            document = apart(number, parent, start)
        if kind == "embedding":
            document["subsegments"] = [embedded(100 + number, start, subsegments=[embedded(200 + number, start)])]
        known.append((number, True))
        documents.append(document)
        if draw(st.booleans()):
            begun = {name: value for name, value in document.items() if name not in {"end_time", "subsegments"}}
            documents.append({**begun, "in_progress": True})
    return documents


@given(requests(), st.data())
def test_no_order_and_no_duplicate_changes_a_trace(documents: list[dict[str, Any]], data: st.DataObject) -> None:
    repeated = [*documents, *data.draw(st.lists(st.sampled_from(documents), max_size=5))]
    assert assembled(*data.draw(st.permutations(repeated))) == assembled(*documents)


@given(requests())
def test_nothing_of_a_request_is_lost_and_nothing_is_in_progress_that_has_ended(
    documents: list[dict[str, Any]],
) -> None:
    trace = assembled(*documents)
    parts = list(trace.walk())
    sent = {document["id"] for document in documents}
    sent |= {below["id"] for one in documents for below in one.get("subsegments", [])}
    assert len({part.id for part in parts}) == len(parts)
    assert sent <= {part.id for part in parts}
    assert trace.orphans == ()
    assert not any(part.in_progress for part in parts)


@given(st.lists(st.integers(1, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, 6))), max_size=12), st.data())
def test_any_mess_of_parents_is_assembled_without_loss(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    documents = [apart(number, parent) for number, parent in pairs]
    trace = assembled(*documents)
    ids = [part.id for part in trace.walk()]
    assert sorted(ids) == sorted({document["id"] for document in documents})
    assert assembled(*data.draw(st.permutations(documents))) == trace


def test_subsegments_find_their_place_wherever_they_come_from() -> None:
    trace = assembled(
        apart(5, parent=3, start=0.3),
        segment(1, subsegments=[embedded(2, 0.2, subsegments=[embedded(3, 0.2)]), embedded(4, 0.1)]),
        segment(6, 0.5, parent_id=f"{5:016x}"),
    )
    assert drawn(trace.segments) == [[1, [4, [2, [[3, [5]]]]]], 6]
    assert trace.segments[1].parent_id == trace.segments[0].subsegments[1].subsegments[0].subsegments[0].id


def test_the_complete_document_counts_also_if_it_came_first() -> None:
    begun, done = segment(1, end=None), segment(1, end=2, annotations={"customer": 7})
    for documents in ([begun, done], [done, begun]):
        [only] = assembled(*documents).segments
        assert (only.in_progress, only.duration, only.annotations) == (False, 2, {"customer": 7})


def test_a_subsegment_counts_once_if_it_was_sent_apart_and_embedded() -> None:
    trace = assembled(apart(2, 1, end=None), apart(2, 1, end=0.5), segment(1, subsegments=[embedded(2, end=None)]))
    assert drawn(trace.segments) == [[1, [2]]]
    assert trace.segments[0].subsegments[0].duration == 0.5


def test_a_subsegment_without_its_segment_is_an_orphan_until_that_comes() -> None:
    late = apart(2, parent=1, subsegments=[embedded(3)])
    waiting = assembled(late)
    assert (waiting.segments, drawn(waiting.orphans)) == ((), [[2, [3]]])
    assert drawn(assembled(late, segment(1)).segments) == [[1, [[2, [3]]]]]


def test_subsegments_in_a_circle_are_orphans() -> None:
    trace = assembled(segment(1), apart(2, parent=3, start=0.1), apart(3, parent=2, start=0.2), apart(4, parent=4))
    assert drawn(trace.segments) == [1]
    assert drawn(trace.orphans) == [4, [2, [3]]]


def test_a_chain_of_any_length_can_be_walked() -> None:
    trace = assembled(segment(1), *(apart(number, number - 1, start=number / 10_000) for number in range(2, 5000)))
    assert len(list(trace.walk())) == 4999


def test_a_field_that_says_nothing_is_not_there() -> None:
    trace = assembled(segment(1, http=None, aws={"operation": None}, subsegments=None, annotations=None))
    assert trace.segments[0].http == trace.segments[0].annotations == {}
    assert trace.segments[0].document["aws"] == {}


@pytest.mark.parametrize("name", ["minimal", "in_progress", "embedded_subsegment", "annotations"])
def test_a_document_comes_out_as_it_went_in(name: str) -> None:
    [only] = assembled(published(name)).segments
    assert document_of(only) == published(name)


def test_the_published_trace_has_the_segments_that_x_ray_infers_for_it() -> None:
    sent = published("scorekeep")
    trace = with_inferred(assemble(sent[0]["trace_id"], map(json.dumps, sent)))
    inferred = {(part.name, part.origin, part.parent_id) for part in trace.segments if part.document.get("inferred")}
    # Not Lambda: it sent a segment itself.
    assert inferred == {
        ("scorekeep-user", "AWS::DynamoDB::Table", "4cd3f10b76c624b4"),
        ("SNS", "AWS::SNS", "b29b548af4d54a0f"),
    }


def test_the_published_call_of_another_service_gives_the_published_segment() -> None:
    expected = published("remote_call_inferred")
    sent = segment(1, subsegments=[published("remote_call")], trace_id=expected["trace_id"])
    inferred = with_inferred(assemble(expected["trace_id"], [json.dumps(sent)])).segments[-1]
    assert {**document_of(inferred), "id": expected["id"]} == expected


FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:front:live"
TABLE_ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/t1"


@pytest.mark.parametrize(
    ("call", "name", "origin"),
    [
        (published("sql_query"), "ebdb@aawijb5u25wdoy.cpamxznpdoq8.us-west-2.rds.amazonaws.com", "Database::SQL"),
        (published("dynamodb_call"), "scorekeep-user", "AWS::DynamoDB::Table"),
        (embedded(2, namespace="aws", name="SQS", aws={"queue_url": "http://q/1"}), "http://q/1", "AWS::SQS::Queue"),
        (embedded(2, namespace="aws", name="S3", aws={"bucket_name": "goods"}), "goods", "AWS::S3::Bucket"),
        (embedded(2, namespace="aws", name="Lambda", aws={"function_name": "front"}), "front", "AWS::Lambda"),
        (embedded(2, namespace="aws", name="Lambda", aws={"function_name": FUNCTION_ARN}), "front", "AWS::Lambda"),
        (embedded(2, namespace="aws", name="DynamoDB", aws={"table_name": TABLE_ARN}), "t1", "AWS::DynamoDB::Table"),
        (embedded(2, namespace="aws", name="SNS", aws={"topic_arn": "arn:aws:sns:eu-1:1:t"}), "SNS", "AWS::SNS"),
        (embedded(2, namespace="aws", name="EventBridge"), "EventBridge", "AWS::EventBridge"),
        (embedded(2, namespace="remote", name="example.com"), "example.com", ""),
    ],
)
def test_a_call_tells_which_resource_was_called(call: dict[str, Any], name: str, origin: str) -> None:
    inferred = with_inferred(assembled(segment(1, subsegments=[call]))).segments[-1]
    assert (inferred.document["inferred"], inferred.name, inferred.origin) == (True, name, origin)


def test_a_call_for_several_tables_tells_of_each_and_once() -> None:
    call = embedded(2, namespace="aws", name="DynamoDB", aws={"table_names": ["t1", "t2", "t1"]})
    trace = with_inferred(assembled(segment(1, subsegments=[call])))
    inferred = [one for one in trace.segments if one.flag("inferred")]
    assert {(one.name, one.origin) for one in inferred} == {
        ("t1", "AWS::DynamoDB::Table"),
        ("t2", "AWS::DynamoDB::Table"),
    }
    assert len({one.id for one in inferred}) == 2


def test_code_of_ones_own_is_no_service() -> None:
    trace = assembled(segment(1, subsegments=[embedded(2)]))
    assert with_inferred(trace) == trace
