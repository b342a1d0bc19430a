"""Headers and documents are what AWS publishes, whatever they are made of."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import Event as SpanEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from tracing import documents
from tracing.header import read_header, write_header
from tracing.identifiers import Identifiers
from tracing.redaction import message_without_secrets, url_without_secrets

from lab.xray.documents import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

# Hypothesis measures an example in wall time, and a busy machine is no fault of the code.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

IDS = st.integers(1, 2**64 - 1)
# The time in a trace's id is one that X-Ray still, and already, takes.
TRACE_IDS = st.integers(1, 2**96 - 1).map(lambda rest: 0x67000000 << 96 | rest)
CONTEXTS = st.builds(
    SpanContext, TRACE_IDS, IDS, is_remote=st.just(True), trace_flags=st.sampled_from([TraceFlags(0), TraceFlags(1)])
)
TIMES = st.integers(0, 4_000_000_000 * 10**9)
TEXTS = st.text(max_size=2000) | st.text("a?/:@&= \n\ud800\0é漢", max_size=50)
VALUES = TEXTS | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.lists(st.text(max_size=20), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
)


@unhurried
@given(CONTEXTS, st.none() | st.from_regex(r"\A[0-9a-f:|]{1,100}\Z"))
def test_a_header_that_is_written_is_read_as_what_it_was(context: SpanContext, lineage: str | None) -> None:
    header = write_header(context) + (f";Lineage={lineage}" if lineage else "")

    read = read_header(header)

    assert read is not None
    assert (read.trace_id, read.span_id, read.trace_flags) == (context.trace_id, context.span_id, context.trace_flags)
    assert write_header(read) == header


@unhurried
@given(CONTEXTS)
def test_a_written_header_has_the_form_that_aws_publishes(context: SpanContext) -> None:
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]", write_header(context))


@unhurried
@given(st.text() | st.none() | st.binary() | st.text("RootParentSampled=;1-0af ", max_size=200))
def test_whatever_comes_as_a_header_is_read_without_a_failure(header: object) -> None:
    read = read_header(header)

    assert read is None or read.is_valid


ROOT = "Root=1-581cf771-a006649127e371903a2de979"
PARENT = "Parent=70de5b6f19ff9a0a"


@pytest.mark.parametrize(
    ("header", "written"),
    [
        (f"{ROOT};{PARENT};Sampled=1", f"{ROOT};{PARENT};Sampled=1"),
        (f"Sampled=1; {PARENT} ; {ROOT}", f"{ROOT};{PARENT};Sampled=1"),
        (f"{ROOT};{PARENT}", f"{ROOT};{PARENT};Sampled=0"),
        (f"{ROOT};{PARENT};Sampled=?", f"{ROOT};{PARENT};Sampled=0"),
        (f"Self=1-5-6;{ROOT};{PARENT};Sampled=1;CalledFrom=x", f"{ROOT};{PARENT};Sampled=1"),
        (f"{ROOT};Lineage=a8:1|6f:5;{PARENT};Sampled=1", f"{ROOT};{PARENT};Sampled=1;Lineage=a8:1|6f:5"),
        (f"{ROOT};{PARENT};Sampled=1;Lineage=no, not this", f"{ROOT};{PARENT};Sampled=1"),
        (f"{ROOT};{PARENT};Sampled=1;junk;=;a=b=c", f"{ROOT};{PARENT};Sampled=1"),
    ],
)  # fmt: skip
def test_a_header_in_any_order_with_any_more_fields_goes_on(header: str, written: str) -> None:
    read = read_header(header)

    assert read is not None
    assert write_header(read) == written


@pytest.mark.parametrize(
    "header",
    [
        "", ROOT, PARENT, f"{ROOT};Sampled=1", f"{ROOT}0;{PARENT}", f"{ROOT};{PARENT}0", f"{ROOT[:-1]}g;{PARENT}",
        f"{ROOT};Parent=0000000000000000", f"Root=1-00000000-{'0' * 24};{PARENT}", f"Root=2{ROOT[6:]};{PARENT}",
    ],
)  # fmt: skip
def test_a_header_without_a_root_and_a_parent_is_none(header: str) -> None:
    assert read_header(header) is None


def test_identifiers_are_those_that_xray_takes_and_no_two_are_the_same() -> None:
    made = Identifiers()

    assert len({made.generate_span_id() for _ in range(1000)}) == 1000
    assert all(0 < made.generate_span_id() < 2**64 for _ in range(100))
    assert 0x67000000 < made.generate_trace_id() >> 96 < 2**32


def attributes(
    values: Mapping[str, Any], annotations: Mapping[str, Any], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **values,
        **dict(documents.annotation(key, value) for key, value in annotations.items()),
        **dict(documents.metadata(key, value) for key, value in metadata.items()),
    }


KNOWN = {
    "aws.operation": TEXTS,
    "aws.table_name": TEXTS,
    "aws.retries": st.integers(0, 9),
    documents.METHOD: st.sampled_from(["GET", "POST"]),
    documents.URL: TEXTS,
    documents.STATUS: st.integers(100, 599),
    documents.SIZE: st.integers(0, 2**40),
    documents.ERROR_TYPE: TEXTS,
}
ATTRIBUTES = st.builds(
    attributes,
    st.fixed_dictionaries({}, optional=KNOWN),
    st.dictionaries(st.text(max_size=300), VALUES, max_size=60),
    st.dictionaries(st.text(max_size=50), JSON, max_size=5),
)
EVENTS = st.builds(
    SpanEvent,
    st.just("exception"),
    st.fixed_dictionaries(
        {},
        optional={
            documents.EXCEPTION_TYPE: TEXTS,
            documents.EXCEPTION_MESSAGE: TEXTS,
            documents.EXCEPTION_STACK: TEXTS,
        },
    ),
)
SPANS = st.builds(
    lambda start, took, **options: ReadableSpan(start_time=start, end_time=start + took, **options),
    name=TEXTS,
    context=CONTEXTS,
    parent=CONTEXTS,
    start=TIMES,
    took=st.integers(-(10**9), 10**12),
    attributes=ATTRIBUTES,
    events=st.lists(EVENTS, max_size=3),
    links=st.lists(st.builds(Link, CONTEXTS), max_size=30),
    kind=st.sampled_from(SpanKind),
    status=st.builds(Status, st.sampled_from(StatusCode)),
)


@unhurried
@given(SPANS)
def test_every_document_is_one_that_xray_takes(span: ReadableSpan) -> None:
    made = documents.document(span)
    assert made is not None
    datagram = documents.datagram(made)

    header, _, text = datagram.partition(b"\n")
    sent = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert header == b'{"format":"json","version":1}'
    assert len(datagram) <= documents.MOST_BYTES < 64 * 1024
    assert sent["type"] == "subsegment"
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", sent["trace_id"])
    assert all(re.fullmatch(r"[0-9a-f]{16}", sent[field]) for field in ("id", "parent_id"))
    assert 1 <= len(sent["name"]) <= 200
    assert re.fullmatch(r"[\w\s.:/%&#=+\\@-]+", sent["name"])
    assert sent["start_time"] <= sent["end_time"]
    assert len(sent.get("annotations", {})) <= 50
    assert all(re.fullmatch(r"\w{1,250}", key, re.ASCII) for key in sent.get("annotations", {}))
    assert all(isinstance(value, str | bool | int | float) for value in sent.get("annotations", {}).values())
    assert len(sent.get("links", [])) <= 20
    for exception in sent.get("cause", {}).get("exceptions", []):
        assert re.fullmatch(r"[0-9a-f]{16}", exception["id"])
        assert len(exception.get("message", "")) <= 250
    parse(text)


@unhurried
@given(SPANS, st.integers(60_000, 200_000))
def test_a_document_that_is_too_large_loses_its_heaviest_parts_only(span: ReadableSpan, length: int) -> None:
    made = documents.document(span)
    assert made is not None
    made["metadata"] = {"default": {"large": "x" * length}}

    sent = json.loads(documents.datagram(made).partition(b"\n")[2])

    left_out = sent.get("metadata", {}).get("tracing", {}).get("left_out_for_their_size", [])
    assert made.keys() - sent.keys() == set(left_out) - {"metadata"}
    assert length < 66_000 or "metadata" in left_out
    parse(json.dumps(sent))


URL_PARTS = st.text("abc123-._~%", min_size=1, max_size=20)


@unhurried
@given(URL_PARTS, URL_PARTS, URL_PARTS)
def test_no_query_string_and_no_credentials_are_left_of_a_url(user: str, path: str, query: str) -> None:
    url = f"https://{user}SECRET:word@host:8443/{path};jsessionid=SECRET?{query}=SECRET#SECRET"

    assert url_without_secrets(url) == f"https://host:8443/{path}"
    assert "SECRET" not in message_without_secrets(f"Failed ({url.replace(';jsessionid=SECRET', '')}): no answer")


def test_of_what_is_no_url_nothing_is_left() -> None:
    assert url_without_secrets("http://[SECRET") == ""


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("plain", "plain"),
        ("What? Why?", "What? Why?"),
        ("Max retries with url: /path?token=SECRET (Caused by X)", "Max retries with url: /path (Caused by X)"),
        ("Bad: Authorization=AWS4-HMAC-SHA256 Credential=SECRET/2026", "Bad: Authorization ..."),
        ("The signature does not match.\n\nx-amz-security-token:SECRET", "The signature does not match."),
        ("bad header: Bearer SECRET", "bad header: Bearer ..."),
        ("Invalid header value b'SECRET\\n'", "Invalid header value ..."),
        ("no route: host=db user=u password=SECRET sslmode=on", "no route: host=db user=u password=... sslmode=on"),
        ("{'client_secret': 'SECRET', 'id': 7}", "{'client_secret': ..., 'id': 7}"),
        ("  \n ", ""),
        ("x" * 1000, "x" * 250),
    ],
)  # fmt: skip
def test_a_message_keeps_what_is_no_secret(message: str, left: str) -> None:
    assert message_without_secrets(message) == left


def test_a_span_without_a_parent_is_no_document() -> None:
    assert documents.document(ReadableSpan(name="root", context=SpanContext(1, 1, is_remote=False))) is None
