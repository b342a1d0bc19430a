"""What the keywords stand for: the values that a trace, a service or an edge has for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lab.xray.matching.services import Edge, Service, edges_between, services_of
from lab.xray.model import Trace
from lab.xray.summaries import root_of, span_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.xray.model import Segment
    from lambda_src.trace_group.filter_expression.tree import Value

_FIELDS = {
    "http.status": ("http", "response", "status"),
    "http.url": ("http", "request", "url"),
    "http.method": ("http", "request", "method"),
    "http.useragent": ("http", "request", "user_agent"),
    "http.clientip": ("http", "request", "client_ip"),
    "user": ("user",),
    "availabilityzone": ("aws", "ec2", "availability_zone"),
    "instance.id": ("aws", "ec2", "instance_id"),
    "resource.arn": ("resource_arn",),
}
# Outside of braces these are searched in the whole trace, and the others where the request entered.
_ANYWHERE = {"user", "availabilityzone", "instance.id", "resource.arn"}


class TraceValues:
    """What keywords stand for outside of braces: what a trace's summary tells."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    # Not every expression needs these.

    @cached_property
    def services(self) -> list[Service]:
        """List the services that the request reached."""
        return services_of(self._trace)

    @cached_property
    def edges(self) -> list[Edge]:
        """List the calls between them."""
        return edges_between(self.services)

    def values(self, keyword: str) -> Sequence[Value]:
        """List what the trace has for a keyword."""
        parts = list(self._trace.walk())
        if keyword in _ANYWHERE or keyword.startswith("annotation."):
            return _found(parts, _FIELDS.get(keyword) or ("annotations", keyword.partition(".")[2]))
        if keyword == "inferred":
            return [any(service.inferred for service in self.services)]
        if keyword == "partial":
            return [bool(self._trace.orphans) or any(part.in_progress for part in parts)]
        if keyword == "throttle":
            return [any(part.flag("throttle") for part in parts)]
        if keyword == "duration":
            return _length(self._trace)
        root = root_of(self._trace)
        return _values(root, keyword) if root else ()


@dataclass(frozen=True)
class PartValues:
    """What keywords stand for in the braces of ``service`` and ``edge``: one call, as the service or caller saw it."""

    service: Service
    segment: Segment

    @classmethod
    def of(cls, part: Service | Edge) -> PartValues:
        """Look at a service, or at an edge."""
        return cls(part.destination if isinstance(part, Edge) else part, part.segment)

    def values(self, keyword: str) -> Sequence[Value]:
        """List what the part has for a keyword."""
        own: dict[str, Value] = {
            "name": self.service.id["Name"],
            "type": self.service.id.get("Type", ""),
            "inferred": self.service.inferred,
            "root": self.service.root,
        }
        return [own[keyword]] if keyword in own else _values(self.segment, keyword)


def _values(segment: Segment, keyword: str) -> Sequence[Value]:
    if keyword in _FIELDS:
        return _found([segment], _FIELDS[keyword])
    if keyword == "responsetime":
        return [] if segment.in_progress else [segment.duration]
    if keyword == "duration":
        return _length(Trace(segment.trace_id, (segment,)))
    if keyword == "partial":
        return [segment.in_progress]
    if keyword == "ok":
        return [not any(segment.flag(flag) for flag in ("error", "fault", "throttle"))]
    return [segment.flag(keyword)]


def _length(trace: Trace) -> Sequence[float]:
    if not any(trace.walk()):
        return ()
    start, end = span_of(trace)
    return [end - start]


def _found(parts: Iterable[Segment], path: Sequence[str]) -> list[Value]:
    found = (_field(part.document, path) for part in parts)
    return [value for value in found if isinstance(value, (str, int, float))]


def _field(document: Any, path: Sequence[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
