"""Turns ended spans into X-Ray's documents, and documents into what the daemon takes.

Attributes are named as OpenTelemetry's exporter for X-Ray reads them, so that the same spans could go through a
collector instead.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, StatusCode

from .header import segment_id, trace_id
from .identifiers import identifier
from .redaction import LONGEST_TEXT, message_without_secrets, text_without_secrets, url_without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan

Document = dict[str, Any]

ANNOTATION = "annotation."
METADATA = "aws.xray.metadata."
METHOD = "http.request.method"
URL = "url.full"
STATUS = "http.response.status_code"
SIZE = "http.response.body.size"
ERROR_TYPE = "error.type"
EXCEPTION = "exception"
EXCEPTION_TYPE = "exception.type"
EXCEPTION_MESSAGE = "exception.message"
EXCEPTION_STACK = "exception.stacktrace"
EXCEPTION_ID = "aws.xray.exception.id"
EXCEPTION_CAUSE = "aws.xray.exception.cause"
EXCEPTION_REMOTE = "aws.xray.exception.remote"
EXCEPTION_TRUNCATED = "aws.xray.exception.truncated"

#: Of one segment; X-Ray follows no more.
MOST_LINKS = 20
MOST_ANNOTATIONS = 50
LONGEST_NAME = 200
LONGEST_ANNOTATION = 1000

_DAEMON_HEADER = b'{"format":"json","version":1}\n'
#: A datagram of UDP carries no more than this, which is a little less than the 64 kB of a document.
MOST_BYTES = 65_507

_NOT_IN_A_NAME = re.compile(r"[^\w\s.:/%&#=+\\@-]")
_NOT_IN_A_KEY = re.compile(r"[^0-9A-Za-z_]")
_FRAME = re.compile(r'^  File "(.*)", line (\d+), in (.*)$', re.MULTILINE)
_REQUIRED = {"id", "trace_id", "parent_id", "type", "name", "start_time", "end_time"}
_WITH_A_FIELD = {METHOD, URL, STATUS, SIZE, ERROR_TYPE}
# What the instrumentations of OpenTelemetry may set, and what is nobody's business.
_NEVER = ("aws.xray.", "http.request.header.", "http.response.header.", "url.query")
# What AWS answers with other status codes than 429.
_THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}


def document(span: ReadableSpan) -> Document | None:
    """Write the document of a span, if it belongs to a segment; every one is a subsegment that is sent by itself."""
    if not (span.context and span.parent):
        return None
    attributes = span.attributes or {}
    aws, annotations, metadata = _told_apart(attributes)
    started = (span.start_time or 0) / 1e9
    written = {
        "id": segment_id(span.context),
        "trace_id": trace_id(span.context),
        "parent_id": segment_id(span.parent),
        "type": "subsegment",
        "name": name(span.name),
        "start_time": started,
        "end_time": max(started, (span.end_time or 0) / 1e9),
        "namespace": _namespace(span, attributes),
        "http": _http(attributes),
        "aws": aws,
        **_flags(span, attributes),
        "cause": _cause(span),
        "annotations": dict(islice(annotations.items(), MOST_ANNOTATIONS)),
        "metadata": {"default": metadata} if metadata else None,
        "links": _links(span),
    }
    return {field: value for field, value in written.items() if value or field in _REQUIRED}


def datagram(written: Document) -> bytes:
    """Write a document as the daemon takes it; of one that is too large the heaviest parts are left out."""
    sent = _DAEMON_HEADER + _json(written)
    if len(sent) <= MOST_BYTES:
        return sent
    by_weight = sorted(written.keys() - _REQUIRED, key=lambda field: len(_json(written[field])))
    left_out: list[str] = []
    while len(sent) > MOST_BYTES:
        left_out.append(by_weight.pop())
        kept = {field: value for field, value in written.items() if field not in left_out}
        kept["metadata"] = kept.get("metadata", {}) | {"tracing": {"left_out_for_their_size": left_out}}
        sent = _DAEMON_HEADER + _json(kept)
    return sent


def name(text: str) -> str:
    """Leave of a text what a segment's name may hold."""
    return _NOT_IN_A_NAME.sub("_", text)[:LONGEST_NAME].strip() or "unnamed"


def annotation(key: str, value: object) -> tuple[str, str | bool | int | float]:
    """Make an annotation of a key and a value: the attribute's name, and what X-Ray can find it by."""
    attribute = ANNOTATION + (_NOT_IN_A_KEY.sub("_", key)[:LONGEST_TEXT] or "_")
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return attribute, value
    return attribute, str(value)[:LONGEST_ANNOTATION]


def metadata(key: str, value: object) -> tuple[str, str]:
    """Make metadata of any value, as it is now: the attribute's name, and JSON."""
    try:
        text = _encode_anything(value)
    except (ValueError, TypeError, RecursionError) as error:
        text = json.dumps(f"{_kind(value)} cannot be written: {type(error).__name__}")
    return METADATA + key, text


def _kind(value: object) -> str:
    # Not repr(): it may hold what nobody meant to record.
    return f"<{type(value).__qualname__}>"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_kind).encode
_encode_anything = json.JSONEncoder(default=_kind, skipkeys=True, allow_nan=False).encode


def _json(value: object) -> bytes:
    return _encode(value).encode(errors="replace")


def _told_apart(attributes: Mapping[str, Any]) -> tuple[Document, Document, Document]:
    """Tell apart details of AWS calls, annotations, and metadata: what was added as such, and whatever has no field."""
    aws, annotations, metadata = {}, {}, {}
    for key, value in attributes.items():
        if key.startswith(ANNOTATION):
            annotations[key.removeprefix(ANNOTATION)] = value
        elif key.startswith(METADATA):
            metadata[key.removeprefix(METADATA)] = _from_json(value)
        elif key in _WITH_A_FIELD or key.startswith(_NEVER):
            continue
        elif key.startswith("aws."):
            aws[key.removeprefix("aws.")] = value
        else:
            metadata[key] = text_without_secrets(value) if isinstance(value, str) else value
    return aws, annotations, metadata


def _from_json(text: object) -> object:
    try:
        return json.loads(str(text))
    except ValueError:
        # Not from here, so it need not be any.
        return text


def _namespace(span: ReadableSpan, attributes: Mapping[str, Any]) -> str | None:
    if span.kind is not SpanKind.CLIENT:
        return None
    return "aws" if "aws.operation" in attributes else "remote"


def _http(attributes: Mapping[str, Any]) -> Document:
    url = attributes.get(URL)
    request = {"method": attributes.get(METHOD), "url": url and url_without_secrets(str(url))}
    response = {"status": attributes.get(STATUS), "content_length": attributes.get(SIZE)}
    sides = {
        side: {field: value for field, value in fields.items() if value is not None}
        for side, fields in (("request", request), ("response", response))
    }
    return {side: fields for side, fields in sides.items() if fields}


def _flags(span: ReadableSpan, attributes: Mapping[str, Any]) -> Document:
    status = attributes.get(STATUS)
    throttled = status == 429 or attributes.get(ERROR_TYPE) in _THROTTLED
    failed = span.status.status_code is StatusCode.ERROR
    return {
        "error": isinstance(status, int) and 400 <= status < 500,
        "throttle": throttled,
        "fault": status >= 500 if isinstance(status, int) else failed,
    }


def _cause(span: ReadableSpan) -> Document | None:
    exceptions = [_exception(event.attributes or {}) for event in span.events if event.name == EXCEPTION]
    return {"exceptions": exceptions} if exceptions else None


def _exception(attributes: Mapping[str, Any]) -> Document:
    exception = {
        "id": attributes.get(EXCEPTION_ID) or f"{identifier():016x}",
        "type": str(attributes.get(EXCEPTION_TYPE, ""))[:LONGEST_TEXT],
        "message": message_without_secrets(str(attributes.get(EXCEPTION_MESSAGE, ""))),
        "remote": attributes.get(EXCEPTION_REMOTE),
        "truncated": attributes.get(EXCEPTION_TRUNCATED),
        "stack": _stack(str(attributes.get(EXCEPTION_STACK, ""))),
        "cause": attributes.get(EXCEPTION_CAUSE),
    }
    return {field: value for field, value in exception.items() if value}


def _stack(stacktrace: str) -> list[Document]:
    """Read the frames of Python's own form, the most recent first."""
    return [{"path": path, "line": int(line), "label": label} for path, line, label in _FRAME.findall(stacktrace)][::-1]


def _links(span: ReadableSpan) -> list[Document]:
    return [
        {
            "trace_id": trace_id(link.context),
            "id": segment_id(link.context),
            "attributes": {"aws.xray.reserved.reference_type": "parent"},
        }
        for link in span.links[:MOST_LINKS]
        # Its parent says already to which trace it belongs itself.
        if span.context and link.context.trace_id != span.context.trace_id
    ]
