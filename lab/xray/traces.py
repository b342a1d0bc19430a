"""Puts a trace together from its documents, in whatever order, number and pieces they came.

Of documents with the same id one counts, whichever came first: a complete one rather than one in progress, as AWS has
it, and of two that are complete the one that ended later. So a trace does not depend on the order of its documents.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.xray.inference import inferred_segments
from lab.xray.model import Segment, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# What is nested deeper stays an orphan: whoever walks a trace does so by recursion.
_DEEPEST = 100


def assemble(trace_id: str, texts: Iterable[str]) -> Trace:
    """Make a trace of valid documents, each the JSON of a segment or of a subsegment that was sent apart."""
    sent = _newest(_Part(document, document.get("parent_id")) for document in map(_read, set(texts)))
    parts = _newest(part for one in sent.values() for part in _flat(one.document, one.parent_id))
    tree = _Tree(trace_id, parts.values())
    subsegments = [part for part in parts.values() if part.is_subsegment]
    return Trace(
        trace_id,
        segments=tree.grown_from(part for part in parts.values() if not part.is_subsegment),
        # Beside those whose parent was not received, what is too deep, or in a circle.
        orphans=(
            *tree.grown_from(part for part in subsegments if part.parent_id not in parts),
            *tree.grown_from(subsegments),
        ),
    )


def with_inferred(trace: Trace) -> Trace:
    """Add a segment for each service that was called and sent none, made of what its caller knows, as X-Ray does."""
    answered = {segment.parent_id for segment in trace.segments}
    calls = [part for part in trace.walk() if part.is_subsegment and part.namespace and part.id not in answered]
    inferred = (segment for call in calls for segment in inferred_segments(call))
    segments = sorted([*trace.segments, *inferred], key=lambda one: (one.start_time, one.id))
    return replace(trace, segments=tuple(segments))


def document_of(segment: Segment) -> dict[str, Any]:
    """Write a segment with all its subsegments as one document, as X-Ray hands it out."""
    below = [document_of(subsegment) for subsegment in segment.subsegments]
    return {**segment.document, **({"subsegments": below} if below else {})}


class _Part(NamedTuple):
    """A segment or subsegment, taken out of the document that it came in."""

    document: Mapping[str, Any]
    parent_id: str | None
    is_subsegment: bool = False

    def replaces(self, other: _Part) -> bool:
        mine, its = self._completeness, other._completeness
        # Between two that differ in nothing but their content, anything that is always the same may decide.
        return mine > its or (mine == its and _written(self.document) > _written(other.document))

    @property
    def _completeness(self) -> tuple[bool, float]:
        return not self.document.get("in_progress"), self.document.get("end_time") or self.document["start_time"]


def _read(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return _without_nulls(document) if "null" in text else document


def _without_nulls(value: Any) -> Any:
    """Leave out fields that are there and say nothing, so that no reader has to ask for it."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True)


def _newest(parts: Iterable[_Part]) -> dict[str, _Part]:
    newest: dict[str, _Part] = {}
    for part in parts:
        known = newest.get(part.document["id"])
        if known is None or part.replaces(known):
            newest[part.document["id"]] = part
    return newest


def _flat(document: Mapping[str, Any], parent_id: str | None, *, embedded: bool = False) -> Iterator[_Part]:
    alone = {name: value for name, value in document.items() if name != "subsegments"}
    yield _Part(alone, parent_id, embedded or document.get("type") == "subsegment")
    for subsegment in document.get("subsegments") or ():
        yield from _flat(subsegment, document["id"], embedded=True)


class _Tree:
    """Parts, each put below its parent once."""

    def __init__(self, trace_id: str, parts: Iterable[_Part]) -> None:
        self._trace_id = trace_id
        self._below = defaultdict[str | None, list[_Part]](list)
        for part in parts:
            if part.is_subsegment:
                self._below[part.parent_id].append(part)
        self._placed: set[str] = set()

    def grown_from(self, parts: Iterable[_Part], depth: int = 0) -> tuple[Segment, ...]:
        """Make segments of those of ``parts`` that have no place yet, and of all that is below them, by their start."""
        ordered = sorted(parts, key=lambda part: (part.document["start_time"], part.document["id"]))
        return tuple(self._segment(part, depth) for part in ordered if part.document["id"] not in self._placed)

    def _segment(self, part: _Part, depth: int) -> Segment:
        document = part.document
        self._placed.add(document["id"])
        return Segment(
            id=document["id"],
            trace_id=self._trace_id,
            name=document["name"],
            start_time=document["start_time"],
            end_time=document.get("end_time"),
            parent_id=part.parent_id,
            document=document,
            is_subsegment=part.is_subsegment,
            subsegments=self.grown_from(self._below[document["id"]], depth + 1) if depth < _DEEPEST else (),
        )
