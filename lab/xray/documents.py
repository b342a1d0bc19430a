"""What a segment document may say: AWS's published rules, and where a document breaks one.

A document that AWS would refuse is refused here too, so that it is noticed on this machine.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Bytes of a document, with all that is embedded in it.
LARGEST = 64 * 1024
# Objects and arrays in one another: enough for a hundred subsegments. Whoever reads a document does so by recursion.
_DEEPEST = 250
_TOO_DEEP = f"it is nested too deeply: {_DEEPEST} objects and arrays at most"


class InvalidDocumentError(ValueError):
    """A document that X-Ray does not take.

    :param code: as PutTraceSegments names it, such as ``InvalidTraceId``.
    :param reason: what is wrong and what is permitted.
    :param path: where, such as ``subsegments[0].http.request.url``; empty if it is the document itself.
    """

    def __init__(self, code: str, reason: str, path: str = "", document_id: str | None = None) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.code = code
        self.reason = reason
        self.path = path
        self.document_id = document_id


class Document(NamedTuple):
    """A document that was found to be valid.

    :param last: when it ended, or started as long as it is in progress.
    :param text: the JSON, as it is kept.
    """

    trace_id: str
    id: str
    start_time: float
    last: float
    text: str


def parse(text: str | bytes, *, oldest: float = 0.0) -> list[Document]:
    """Read a segment, a subsegment, or an array of them.

    :param oldest: what started before was forgotten again already.
    :raises InvalidDocumentError: when it breaks a rule.
    """
    written, content = _loaded(text)
    if isinstance(content, list):
        return [_document(one, json.dumps(one), oldest) for one in content]
    return [_document(content, written, oldest)]


def trace_id(text: str) -> str | None:
    """Write a trace id as X-Ray does, if it is one: W3C's 32 digits too are taken."""
    if _TRACE_ID(text):
        return text.lower()
    if _W3C_TRACE_ID(text):
        return f"1-{text[:8]}-{text[8:]}".lower()
    return None


def _loaded(text: str | bytes) -> tuple[str, Any]:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > LARGEST:
        raise InvalidDocumentError("DocumentTooLarge", f"it has {size:,} bytes: {LARGEST:,} at most")
    try:
        # A string may hold half a character, which no other program would read back.
        written = text.decode() if isinstance(text, bytes) else text.encode().decode()
        content = _DECODER.decode(written)
    except ValueError as error:
        raise InvalidDocumentError("ParseError", f"it is not JSON: {error}") from None
    except RecursionError:
        raise InvalidDocumentError("ParseError", _TOO_DEEP) from None
    if written.count("{") + written.count("[") > _DEEPEST and _depth(content) > _DEEPEST:
        raise InvalidDocumentError("ParseError", _TOO_DEEP)
    return written, content


def _depth(content: Any) -> int:
    """Count the objects and arrays in one another, without recursion."""
    depth, level = 0, [content]
    while level := [one for one in level if isinstance(one, (dict, list))]:
        depth += 1
        level = [below for one in level for below in (one.values() if isinstance(one, dict) else one)]
    return depth


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


_DECODER = json.JSONDecoder(parse_constant=_not_json)


def _document(content: Any, text: str, oldest: float) -> Document:
    try:
        _check_document(content)
        if content["start_time"] < oldest:
            # AWS reads the age from the trace id, and names that in its error; W3C's ids have no time in them.
            raise _WrongError(f"is of a trace that began at {content['start_time']}: X-Ray forgot it", "trace_id")
    except _WrongError as wrong:
        known = content.get("id") if isinstance(content, dict) else None
        raise wrong.error(known if isinstance(known, str) else None) from None
    named = content["trace_id"]
    canonical = trace_id(named) or named
    if canonical != named:
        text = json.dumps({**content, "trace_id": canonical})
    start = content["start_time"]
    return Document(canonical, content["id"], start, content.get("end_time") or start, text)


class _Chosen(str):
    """A field's name that the sender chose: it says where something is, and is no kind of error."""

    __slots__ = ()


class _WrongError(Exception):
    """Something breaks a rule; on its way up it gathers where that is."""

    def __init__(self, reason: str, *path: str | int, missing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = list(path)
        self.missing = missing

    def under(self, part: str | int) -> _WrongError:
        """Add where the value that was checked stands."""
        self.path.insert(0, part)
        return self

    def error(self, document_id: str | None) -> InvalidDocumentError:
        """Say it to whoever sent the document, named as AWS names its errors: `InvalidTraceId`, `MissingName`."""
        names = [part for part in self.path if type(part) is str]
        subject = "".join(word.capitalize() for word in names[-1].split("_")) if names else "Document"
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")
        return InvalidDocumentError(
            f"{'Missing' if self.missing else 'Invalid'}{subject}", self.reason, path, document_id
        )


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _check_document(document: Any) -> None:
    """Check a document as it is sent: a segment, or a subsegment apart from its segment."""
    if not isinstance(document, dict):
        raise _WrongError(f"it is {_shown(document)}: an object is needed")
    kind = document.get("type")
    if kind == "subsegment":
        _require(document, ("trace_id", "parent_id", *_REQUIRED))
    elif kind is None:
        _require(document, ("trace_id", *_REQUIRED))
        if not (isinstance(document["name"], str) and _SEGMENT_NAME(document["name"])):
            raise _WrongError(
                f"is {_shown(document['name'])}: 1 to 200 letters, digits, spaces and _ . : / % & # = + \\ - @", "name"
            )
    else:
        raise _WrongError(f'is {_shown(kind)}: "subsegment", and of a segment none', "type")
    _check_span(document)


def _check_span(document: dict[str, Any]) -> None:
    """Check what segments and subsegments have in common."""
    _check_fields(document, _FIELDS)
    start, end = document["start_time"], document.get("end_time")
    if document.get("in_progress"):
        if end is not None:
            raise _WrongError("is there although in_progress is true: one of the two", "end_time")
    elif end is None:
        raise _WrongError("is not there: an end_time, or in_progress as true", "end_time", missing=True)
    elif end < start:
        raise _WrongError(f"is {end}, before start_time, which is {start}", "end_time")


def _check_subsegment(document: Any) -> None:
    if not isinstance(document, dict):
        raise _WrongError(f"is {_shown(document)}: an object is needed")
    _require(document, _REQUIRED)
    if document.get("type", "subsegment") != "subsegment":
        raise _WrongError(f'is {_shown(document["type"])}: "subsegment"', "type")
    _check_span(document)


def _require(document: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if document.get(name) is None:
            raise _WrongError("is not there: it is required", name, missing=True)


_REQUIRED = ("name", "id", "start_time")
_SEGMENT_NAME = re.compile(r"[\w\s.:/%&#=+\\@-]{1,200}").fullmatch
_TRACE_ID = re.compile(r"1-[0-9A-Fa-f]{8}-[0-9A-Fa-f]{24}").fullmatch
_W3C_TRACE_ID = re.compile(r"[0-9A-Fa-f]{32}").fullmatch
_ID = re.compile(r"[0-9A-Fa-f]{16}").fullmatch
# Dots came with OpenTelemetry's attributes, and AWS's services use names such as `aws:api_id`: filter expressions say
# `annotation[a.b]` then.
_ANNOTATION_KEY = re.compile(r"(?:aws:)?[A-Za-z0-9_.]{1,500}").fullmatch
# Seconds; whoever sends milliseconds is some 50,000 years ahead.
_LATEST_TIME = 1e10


def _trace_id(value: Any) -> None:
    if not (isinstance(value, str) and (_TRACE_ID(value) or _W3C_TRACE_ID(value))):
        raise _WrongError(f"is {_shown(value)}: 1-, 8 hexadecimal digits, -, 24 hexadecimal digits")


def _id(value: Any) -> None:
    if not (isinstance(value, str) and _ID(value)):
        raise _WrongError(f"is {_shown(value)}: 16 hexadecimal digits")


def _time(value: Any) -> None:
    if type(value) not in {float, int} or not 0 <= value < _LATEST_TIME:
        raise _WrongError(f"is {_shown(value)}: seconds since 1970, as a number")


def _string(value: Any) -> None:
    if not isinstance(value, str):
        raise _WrongError(f"is {_shown(value)}: a string")


def _short_string(value: Any) -> None:
    if not (isinstance(value, str) and len(value) <= 250):
        raise _WrongError(f"is {_shown(value)}: a string of 250 characters at most")


def _name(value: Any) -> None:
    if not (isinstance(value, str) and 0 < len(value) <= 250):
        raise _WrongError(f"is {_shown(value)}: a string of 1 to 250 characters")


def _boolean(value: Any) -> None:
    if not isinstance(value, bool):
        raise _WrongError(f"is {_shown(value)}: true or false")


def _number(value: Any) -> None:
    if type(value) is not int and not (type(value) is float and math.isfinite(value)):
        raise _WrongError(f"is {_shown(value)}: a number")


def _integer(value: Any) -> None:
    if type(value) is not int:
        raise _WrongError(f"is {_shown(value)}: a whole number")


def _one_of(*permitted: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if value not in permitted:
            raise _WrongError(f"is {_shown(value)}: {' or '.join(permitted)}")

    return check


def _object(value: Any) -> None:
    if not isinstance(value, dict):
        raise _WrongError(f"is {_shown(value)}: an object")


def _object_of(**fields: Callable[[Any], None]) -> Callable[[Any], None]:
    """Check the fields that are known; others are AWS's to add."""

    def check(value: Any) -> None:
        _object(value)
        _check_fields(value, fields)

    return check


def _check_fields(value: dict[str, Any], checks: Mapping[str, Callable[[Any], None]]) -> None:
    for name, field in value.items():
        check = checks.get(name)
        if check is not None and field is not None:
            try:
                check(field)
            except _WrongError as wrong:
                raise wrong.under(name) from None


def _list_of(check_one: Callable[[Any], None]) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not isinstance(value, list):
            raise _WrongError(f"is {_shown(value)}: an array")
        for position, one in enumerate(value):
            try:
                check_one(one)
            except _WrongError as wrong:
                raise wrong.under(position) from None

    return check


def _annotations(value: Any) -> None:
    _object(value)
    for key, annotation in value.items():
        if not _ANNOTATION_KEY(key):
            raise _WrongError("is no name for an annotation: letters, digits, underscores and dots", _Chosen(key))
        if not isinstance(annotation, (str, bool)):
            try:
                _number(annotation)
            except _WrongError:
                raise _WrongError(f"is {_shown(annotation)}: a string, a number, true or false", _Chosen(key)) from None


def _exception(value: Any) -> None:
    _EXCEPTION(value)
    _require(value, ("id",))


def _cause(value: Any) -> None:
    """Check the exceptions, or the id of an exception that another subsegment told of."""
    if isinstance(value, str):
        _id(value)
    else:
        _CAUSE(value)


def _link(value: Any) -> None:
    _LINK(value)
    _require(value, ("trace_id", "id"))


_EXCEPTION = _object_of(
    id=_id,
    message=_string,
    type=_string,
    remote=_boolean,
    truncated=_integer,
    skipped=_integer,
    cause=_id,
    stack=_list_of(_object_of(path=_string, line=_integer, label=_string)),
)
_CAUSE = _object_of(working_directory=_string, paths=_list_of(_string), exceptions=_list_of(_exception))
_LINK = _object_of(trace_id=_trace_id, id=_id, attributes=_object)
_FIELDS: dict[str, Callable[[Any], None]] = {
    "name": _name,
    "id": _id,
    "trace_id": _trace_id,
    "parent_id": _id,
    "start_time": _time,
    "end_time": _time,
    "in_progress": _boolean,
    "error": _boolean,
    "throttle": _boolean,
    "fault": _boolean,
    "cause": _cause,
    "origin": _short_string,
    "user": _short_string,
    "resource_arn": _string,
    "namespace": _one_of("aws", "remote"),
    "service": _object_of(version=_string),
    "annotations": _annotations,
    "metadata": _object,
    "precursor_ids": _list_of(_id),
    "links": _list_of(_link),
    "http": _object_of(
        request=_object_of(
            method=_string,
            url=_string,
            user_agent=_string,
            client_ip=_string,
            x_forwarded_for=_boolean,
            traced=_boolean,
        ),
        response=_object_of(status=_integer, content_length=_number),
    ),
    "aws": _object_of(
        account_id=_string,
        operation=_string,
        region=_string,
        request_id=_string,
        queue_url=_string,
        table_name=_string,
        topic_arn=_string,
        function_name=_string,
        bucket_name=_string,
        table_names=_list_of(_string),
        resource_names=_list_of(_string),
        ecs=_object_of(container=_string),
        ec2=_object_of(instance_id=_string, availability_zone=_string),
        elastic_beanstalk=_object_of(environment_name=_string, version_label=_string, deployment_id=_number),
    ),
    "sql": _object_of(
        connection_string=_string,
        url=_string,
        sanitized_query=_string,
        database_type=_string,
        database_version=_string,
        driver_version=_string,
        user=_string,
        preparation=_one_of("call", "statement"),
    ),
    "subsegments": _list_of(_check_subsegment),
}
