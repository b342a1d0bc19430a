"""A trace as a timeline: what ran below what, from when to when, and what went wrong there."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from rich.text import Text

from lab.views.names import printable, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lab.xray.model import Segment, Trace

_FIGURES = 26  # The columns between a name and its bar.
_FLAGS = {"fault": "red", "throttle": "magenta", "error": "yellow"}


@dataclass(frozen=True)
class Row:
    """A segment or subsegment, and where it stands.

    :param guide: the lines of the tree before its name.
    :param kind: the type of AWS resource that ran it or was called, or the namespace of the call.
    :param start: seconds since the trace began.
    :param exceptions: what was raised there.
    :param parent_received: whether what it belongs to is in the trace.
    """

    part: Segment
    guide: str
    name: str
    kind: str
    start: float
    exceptions: tuple[Mapping[str, Any], ...]
    parent_received: bool

    @property
    def status(self) -> str:
        """The status of the HTTP response; empty if there was none."""
        response = self.part.http.get("response") or {}
        return str(response.get("status", ""))

    @property
    def flags(self) -> list[str]:
        """Which of fault, throttle and error it has."""
        return [flag for flag in _FLAGS if self.part.flag(flag)]

    @property
    def causes(self) -> list[str]:
        """What was raised, such as ``ValueError: no such order``."""
        told = [(one.get("type"), one.get("message")) for one in self.exceptions]
        return [printable(": ".join(word for word in words if word)) for words in told]

    @property
    def stack(self) -> list[str]:
        """Where it was raised."""
        frames = [frame for one in self.exceptions for frame in one.get("stack") or ()]
        return [f"{frame.get('path', '?')}:{frame.get('line', '?')} {frame.get('label', '')}" for frame in frames]

    @property
    def took(self) -> str:
        """How long, for a person."""
        return "running" if self.part.in_progress else seconds(self.part.duration)


def rows(trace: Trace) -> list[Row]:
    """List all of a trace, each part below what it belongs to, in the order of their start."""
    return list(_Tree(trace).rows())


def lines(trace: Trace, *, width: int, verbose: bool = False) -> list[Text]:
    """Draw the timeline for a terminal.

    :param verbose: with annotations, and where an exception came from.
    """
    drawn = rows(trace)
    span = max(_span(trace), 1e-9)
    names = [Text.assemble((row.guide, "dim"), _brief(row.name), (_kind(row), "dim")) for row in drawn]
    room = min(max(name.cell_len for name in names), max(16, min(width // 2, width - _FIGURES - 10)))
    bar = max(10, width - room - _FIGURES)
    result = [Text(f"{'':{room}}  {'START':>8} {'TOOK':>8} HTTP", style="bold")]
    for row, name in zip(drawn, names, strict=True):
        name.truncate(room, overflow="ellipsis", pad=True)
        colour = next((_FLAGS[flag] for flag in row.flags), "")
        figures = f"  {seconds(row.start):>8} {row.took:>8} {row.status:>4}  "
        result.append(Text.assemble(name, (figures, colour), (_bar(row, span, bar), colour or "blue")))
        below = " " * (len(row.guide) + 2)
        result += [Text.assemble(below, line) for line in _remarks(row, verbose=verbose)]
    return result


def heading(trace: Trace) -> str:
    """Name a trace: its id, when it began, and how long it took."""
    when = datetime.fromtimestamp(_began(trace), tz=timezone.utc).isoformat(timespec="milliseconds")
    return f"{trace.id}  {when}  {seconds(_span(trace))}"


COLUMNS = ("ID", "PARENT", "NAME", "TYPE", "START", "TOOK", "STATUS", "FLAGS", "CAUSES")


def cells(trace: Trace) -> Iterator[list[str]]:
    """Write every part as a line of a table, for a program; times are seconds."""
    for row in rows(trace):
        took = "" if row.part.in_progress else f"{row.part.duration:.6f}"
        place = [row.part.id, row.part.parent_id or "", row.name, row.kind]
        yield [*place, f"{row.start:.6f}", took, row.status, ",".join(row.flags), "; ".join(row.causes)]


def seconds(value: float) -> str:
    """Write a length of time for a person."""
    milliseconds = round(value * 1000, 1)
    if milliseconds >= 999.5:
        return f"{value:.2f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


class _Tree:
    """Every part of a trace, below the one that it belongs to."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._began = _began(trace)
        self._parts = {part.id: part for part in trace.walk()}
        # X-Ray makes a segment for what was called and sent none; here it tells what the call was for.
        self._inferred = {str(one.parent_id): one for one in trace.segments if self._tells_of_call(one)}
        self._called = defaultdict[str, list["Segment"]](list)
        for segment in trace.segments:
            if segment.parent_id and not self._tells_of_call(segment):
                self._called[segment.parent_id].append(segment)
        self._exceptions = {str(one.get("id")): one for part in trace.walk() for one in _exceptions(part)}
        self._placed: set[str] = set()

    def _tells_of_call(self, segment: Segment) -> bool:
        return segment.flag("inferred") and segment.parent_id in self._parts

    def rows(self) -> Iterator[Row]:
        """Go through the trace from what belongs to nothing; what is left then belongs to itself in a circle."""
        segments = [segment for segment in self._trace.segments if not self._tells_of_call(segment)]
        uncalled = [segment for segment in segments if segment.parent_id not in self._parts]
        for root in (*_by_start([*uncalled, *self._trace.orphans]), *segments):
            if root.id not in self._placed:
                yield from self._below(root)

    def _below(self, part: Segment, guide: str = "", beneath: str = "") -> Iterator[Row]:
        self._placed.add(part.id)
        yield self._row(part, guide)
        children = _by_start(one for one in (*part.subsegments, *self._called[part.id]) if one.id not in self._placed)
        for number, child in enumerate(children, 1):
            fork, line = ("├─ ", "│  ") if number < len(children) else ("└─ ", "   ")
            yield from self._below(child, beneath + fork, beneath + line)

    def _row(self, part: Segment, guide: str) -> Row:
        called = self._inferred.get(part.id)
        operation = (part.document.get("aws") or {}).get("operation", "")
        # Of a queue's URL or a topic's ARN the name at the end.
        resource = re.split("[/:]", called.name)[-1] if called and called.name != part.name else ""
        return Row(
            part=part,
            guide=guide,
            name=printable(" ".join(word for word in (part.name, operation, resource) if word)),
            kind=part.origin or (called.origin if called else "") or part.namespace,
            start=part.start_time - self._began,
            exceptions=self._raised(part),
            parent_received=part.parent_id is None or part.parent_id in self._parts,
        )

    def _raised(self, part: Segment) -> tuple[Mapping[str, Any], ...]:
        cause = part.document.get("cause")
        if isinstance(cause, str):  # The id of an exception that another part tells of.
            return (self._exceptions[cause],) if cause in self._exceptions else ()
        return tuple(_exceptions(part))


def _exceptions(part: Segment) -> Sequence[Mapping[str, Any]]:
    cause = part.document.get("cause")
    return (cause.get("exceptions") or ()) if isinstance(cause, dict) else ()


def _by_start(parts: Iterable[Segment]) -> list[Segment]:
    return sorted(parts, key=lambda part: part.start_time)


def _began(trace: Trace) -> float:
    return min((part.start_time for part in trace.walk()), default=0.0)


def _span(trace: Trace) -> float:
    return max((part.end_time or part.start_time for part in trace.walk()), default=0.0) - _began(trace)


# Drawing


def _brief(name: str) -> str:
    return " ".join(map(short, name.split(" ")))


def _kind(row: Row) -> str:
    return f"  {printable(row.kind.removeprefix('AWS::'))}" if row.kind else ""


def _bar(row: Row, span: float, width: int) -> str:
    start = min(int(row.start / span * width), width - 1)
    if row.part.in_progress:
        return " " * start + "░" * (width - start)
    return " " * start + "█" * max(1, min(round(row.part.duration / span * width), width - start))


def _remarks(row: Row, *, verbose: bool) -> Iterator[tuple[str, str]]:
    """Say below a part what its figures do not."""
    if not row.parent_received:
        yield "what it belongs to was not received", "yellow"
    if row.flags:
        colour = _FLAGS[row.flags[0]]
        yield ": ".join([", ".join(row.flags), *row.causes[:1]]), colour
        yield from ((cause, colour) for cause in row.causes[1:])
    if verbose:
        yield from ((printable(f"{key} = {value}"), "cyan") for key, value in row.part.annotations.items())
        yield from ((printable(frame), "dim") for frame in row.stack)
