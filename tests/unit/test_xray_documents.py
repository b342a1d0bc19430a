"""A segment document is taken or refused by AWS's published rules, and a refusal says what is wrong and where."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.xray import documents
from lab.xray.documents import InvalidDocumentError

PUBLISHED = Path(__file__).with_name("segment_documents")
SEGMENT = json.loads((PUBLISHED / "embedded_subsegment.json").read_text())
SUBSEGMENT = json.loads((PUBLISHED / "independent_subsegment.json").read_text())
MISSING = object()


def changed(document: dict[str, Any], path: str, value: Any) -> str:
    """Write a document in which one field is another, or is not there."""
    copy = json.loads(json.dumps(document))
    *way, last = path.split(".")
    place = copy
    for name in way:
        place = place[int(name)] if name.isdigit() else place.setdefault(name, {})
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return json.dumps(copy)


def refusal(text: str | bytes) -> InvalidDocumentError:
    with pytest.raises(InvalidDocumentError) as refused:
        documents.parse(text)
    return refused.value


@pytest.mark.parametrize("name", sorted(path.stem for path in PUBLISHED.glob("*.json")))
def test_every_published_document_is_taken(name: str) -> None:
    published = json.loads((PUBLISHED / f"{name}.json").read_text())
    if isinstance(published, dict) and "trace_id" not in published:
        published = {**SEGMENT, "subsegments": [published]}
    written = json.dumps(published)
    taken = documents.parse(written)
    assert [json.loads(document.text) for document in taken] == (
        published if isinstance(published, list) else [published]
    )


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        ("name", MISSING, "MissingName", "name"),
        ("name", "", "InvalidName", "name"),
        ("name", "a" * 201, "InvalidName", "name"),
        ("name", "orders (test)", "InvalidName", "name"),
        ("name", 1, "InvalidName", "name"),
        ("id", MISSING, "MissingId", "id"),
        ("id", "defdfd9912dc5a5", "InvalidId", "id"),
        ("id", "defdfd9912dc5a5g", "InvalidId", "id"),
        ("id", "defdfd9912dc5a56\n", "InvalidId", "id"),
        ("trace_id", MISSING, "MissingTraceId", "trace_id"),
        ("trace_id", "2-5759e988-bd862e3fe1be46a994272793", "InvalidTraceId", "trace_id"),
        ("trace_id", "1-5759e988-bd862e3fe1be46a99427279", "InvalidTraceId", "trace_id"),
        ("parent_id", "the one above", "InvalidParentId", "parent_id"),
        ("start_time", MISSING, "MissingStartTime", "start_time"),
        ("start_time", "now", "InvalidStartTime", "start_time"),
        ("start_time", True, "InvalidStartTime", "start_time"),
        ("start_time", 1461096053375.18, "InvalidStartTime", "start_time"),
        ("end_time", MISSING, "MissingEndTime", "end_time"),
        ("end_time", 1461096053.0, "InvalidEndTime", "end_time"),
        ("in_progress", True, "InvalidEndTime", "end_time"),
        ("in_progress", "no", "InvalidInProgress", "in_progress"),
        ("type", "segment", "InvalidType", "type"),
        ("origin", "A" * 251, "InvalidOrigin", "origin"),
        ("user", 7, "InvalidUser", "user"),
        ("service", "1.0", "InvalidService", "service"),
        ("error", 1, "InvalidError", "error"),
        ("fault", "yes", "InvalidFault", "fault"),
        ("throttle", [], "InvalidThrottle", "throttle"),
        ("http.request.url", 1, "InvalidUrl", "http.request.url"),
        ("http.request.x_forwarded_for", "1.2.3.4", "InvalidXForwardedFor", "http.request.x_forwarded_for"),
        ("http.response.status", "200", "InvalidStatus", "http.response.status"),
        ("aws.resource_names", ["a", 1], "InvalidResourceNames", "aws.resource_names[1]"),
        ("annotations", ["a"], "InvalidAnnotations", "annotations"),
        ("annotations.of zip", 1, "InvalidAnnotations", "annotations.of zip"),
        ("annotations.my:zip", 1, "InvalidAnnotations", "annotations.my:zip"),
        ("annotations.zip", {"code": 1}, "InvalidAnnotations", "annotations.zip"),
        ("metadata", "text", "InvalidMetadata", "metadata"),
        ("cause", "an exception", "InvalidCause", "cause"),
        ("cause.exceptions", [{"message": "no id"}], "MissingId", "cause.exceptions[0].id"),
        ("cause.exceptions", [{"id": "0" * 16, "stack": [{"line": "5"}]}], "InvalidLine", "cause.exceptions[0].stack[0].line"),  # noqa: E501
        ("precursor_ids", ["0" * 15], "InvalidPrecursorIds", "precursor_ids[0]"),
        ("links", [{"trace_id": SEGMENT["trace_id"]}], "MissingId", "links[0].id"),
        ("subsegments", {}, "InvalidSubsegments", "subsegments"),
        ("subsegments.0.name", MISSING, "MissingName", "subsegments[0].name"),
        ("subsegments.0.namespace", "azure", "InvalidNamespace", "subsegments[0].namespace"),
        ("subsegments.0.end_time", MISSING, "MissingEndTime", "subsegments[0].end_time"),
        ("subsegments.0.type", "segment", "InvalidType", "subsegments[0].type"),
        ("subsegments.0.subsegments", [5], "InvalidSubsegments", "subsegments[0].subsegments[0]"),
        ("sql.preparation", "none", "InvalidPreparation", "sql.preparation"),
    ],
)  # fmt: skip
def test_a_document_that_breaks_a_rule_is_refused_with_the_place(path: str, value: Any, code: str, where: str) -> None:
    refused = refusal(changed(SEGMENT, path, value))
    assert (refused.code, refused.path) == (code, where)
    assert refused.document_id == (SEGMENT["id"] if path != "id" else refused.document_id)


@pytest.mark.parametrize(("field", "code"), [("trace_id", "MissingTraceId"), ("parent_id", "MissingParentId")])
def test_a_subsegment_that_is_sent_apart_says_what_it_belongs_to(field: str, code: str) -> None:
    assert refusal(changed(SUBSEGMENT, field, MISSING)).code == code


def test_a_subsegment_may_have_a_name_that_no_segment_has() -> None:
    [taken] = documents.parse(changed(SUBSEGMENT, "name", "GET /orders/{id}"))
    assert taken.id == SUBSEGMENT["id"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cause", "a" * 16),
        ("cause", {"exceptions": [{"id": "0" * 16, "cause": "1" * 16, "remote": True, "truncated": 3, "skipped": 1}]}),
        ("http", None),
        ("annotations", {"aws.remote_service": "dots came with OpenTelemetry"}),
        ("annotations", {"aws:api_id": "a1b2c3d4e5", "aws:api_stage": "dev"}),
        ("links", [{"trace_id": SEGMENT["trace_id"], "id": "0" * 16, "attributes": {"a": 1}}]),
        ("something_new", ["AWS", "may", "add"]),
        ("name", "Bestellungen für Zürich: 100 %"),
    ],
)
def test_what_the_rules_allow_is_taken(path: str, value: Any) -> None:
    assert documents.parse(changed(SEGMENT, path, value))


def test_a_trace_id_of_the_w3c_is_written_as_x_ray_does() -> None:
    [taken] = documents.parse(changed(SEGMENT, "trace_id", "5759E988BD862E3FE1BE46A994272793"))
    assert taken.trace_id == json.loads(taken.text)["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"


def test_a_document_of_64_kb_is_taken_and_a_byte_more_is_not() -> None:
    room = documents.LARGEST - len(changed(SEGMENT, "metadata", {"a": ""}))
    assert documents.parse(changed(SEGMENT, "metadata", {"a": "x" * room}))
    assert refusal(changed(SEGMENT, "metadata", {"a": "x" * (room + 1)})).code == "DocumentTooLarge"


def test_an_array_of_subsegments_is_one_document() -> None:
    other = {**SUBSEGMENT, "id": "1" * 16}
    assert [taken.id for taken in documents.parse(json.dumps([SUBSEGMENT, other]))] == [SUBSEGMENT["id"], other["id"]]


def test_what_x_ray_would_have_forgotten_already_is_refused() -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        documents.parse(json.dumps(SEGMENT), oldest=SEGMENT["start_time"] + 1)
    assert refused.value.code == "InvalidTraceId"


@pytest.mark.parametrize(
    "text",
    [
        b"", b"null", b"5", b'"text"', b"{", b"\xff\xfe", b'{"name": NaN}', b"[" * 60_000, b'{"a":' * 10_000,
        b"[[" + b"9" * 5000 + b"]]", "\ud800", '{"name": "\ud800"}', json.dumps({**SEGMENT, "end_time": float("inf")}),
        changed(SEGMENT, "end_time", 10**300), b"[" * 200 + b"]" * 200,
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(text: str | bytes) -> None:
    refusal(text)


def test_a_document_is_as_deep_as_every_reader_can_follow() -> None:
    def nested(depth: int) -> dict[str, Any]:
        below = nested(depth - 1) if depth else None
        return {
            "name": "below", "id": f"{depth:016x}", "start_time": 1, "end_time": 2,
            **({"subsegments": [below]} if below else {}),
        }  # fmt: skip

    assert documents.parse(json.dumps({**SEGMENT, "subsegments": [nested(100)]}))
    assert "too deeply" in refusal(json.dumps({**SEGMENT, "subsegments": [nested(200)]})).reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*SEGMENT, *SUBSEGMENT, "annotations", "cause", "links", "aws", "type"]), JSON))
def test_whatever_is_in_a_document_it_is_taken_or_refused(fields: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidDocumentError):
        assert documents.parse(json.dumps({**SEGMENT, **fields}))


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_they_are_taken_or_refused(data: bytes) -> None:
    with pytest.raises(InvalidDocumentError):
        documents.parse(data)
