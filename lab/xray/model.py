"""What the local X-Ray speaks of: segments, and the trace that they make together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Segment:
    """A segment or a subsegment, as its newest document told it.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

    :param document: the whole document, without its subsegments.
    :param subsegments: embedded in the document, or sent apart.
    """

    id: str
    trace_id: str
    name: str
    start_time: float
    end_time: float | None
    parent_id: str | None
    document: Mapping[str, Any]
    is_subsegment: bool = False
    subsegments: tuple[Segment, ...] = ()

    @property
    def in_progress(self) -> bool:
        """Whether it has not ended yet."""
        return self.end_time is None

    @property
    def duration(self) -> float:
        """Seconds that it took; 0 while it is in progress."""
        return 0.0 if self.end_time is None else self.end_time - self.start_time

    @property
    def origin(self) -> str:
        """The type of AWS resource that ran it, such as ``AWS::Lambda::Function``; empty if it is none."""
        return str(self.document.get("origin", ""))

    @property
    def namespace(self) -> str:
        """Of a subsegment for a call: ``aws`` or ``remote``; else empty."""
        return str(self.document.get("namespace", ""))

    @property
    def http(self) -> Mapping[str, Any]:
        """Request and response."""
        return dict(self.document.get("http", {}))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """What it can be found by."""
        return dict(self.document.get("annotations", {}))

    def flag(self, name: str) -> bool:
        """Tell whether it has the ``error``, the ``fault`` or the ``throttle`` flag."""
        return bool(self.document.get(name))

    def walk(self) -> Iterator[Segment]:
        """Yield it and everything below it."""
        yield self
        for subsegment in self.subsegments:
            yield from subsegment.walk()


@dataclass(frozen=True)
class Trace:
    """All segments of one request, in the order of their start.

    :param segments: each with its subsegments in place.
    :param orphans: subsegments whose parent was not received yet.
    """

    id: str
    segments: tuple[Segment, ...]
    orphans: tuple[Segment, ...] = field(default=())

    def walk(self) -> Iterator[Segment]:
        """Yield every segment and subsegment."""
        for segment in (*self.segments, *self.orphans):
            yield from segment.walk()
