"""The service graph: which service calls which, how often, how long it takes, and what goes wrong.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html#xray-api-servicegraph
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.xray.documents import trace_id
from lab.xray.summaries import service_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.xray.model import Segment, Trace


def service_graph(traces: Iterable[Trace]) -> list[dict[str, Any]]:
    """Make the ``Services`` that X-Ray's API answers, of traces with their inferred segments."""
    graph = _Graph()
    for trace in traces:
        graph.add(trace)
    graph.connect_linked_traces()
    return graph.as_services()


def percentile(histogram: Sequence[dict[str, float]], share: float) -> float | None:
    """Find the time within which this share of the requests of a histogram ended, 0 to 1; nothing if there are none."""
    left = share * sum(entry["Count"] for entry in histogram)
    for entry in sorted(histogram, key=lambda entry: entry["Value"]):
        left -= entry["Count"]
        if left <= 0:
            return entry["Value"]
    return None


class _Key(NamedTuple):
    name: str
    type: str


@dataclass
class _Statistics:
    """What is counted of completed requests."""

    ok: int = 0
    throttled: int = 0
    errors: int = 0
    faults: int = 0
    seconds: float = 0.0
    times: Counter[float] = field(default_factory=Counter)
    start: float = float("inf")
    end: float = 0.0

    def add(self, part: Segment) -> None:
        """Count one request, by the worst that happened to it."""
        self.start = min(self.start, part.start_time)
        self.end = max(self.end, part.end_time or part.start_time)
        if part.in_progress:
            return
        if part.flag("fault"):
            self.faults += 1
        elif part.flag("throttle"):
            self.throttled += 1
        elif part.flag("error"):
            self.errors += 1
        else:
            self.ok += 1
        self.seconds += part.duration
        self.times[_rounded(part.duration)] += 1

    def times_seen(self) -> dict[str, float]:
        return {"StartTime": self.start, "EndTime": self.end}

    def summary(self) -> dict[str, Any]:
        failed = self.throttled + self.errors
        return {
            "OkCount": self.ok,
            "ErrorStatistics": {"ThrottleCount": self.throttled, "OtherCount": self.errors, "TotalCount": failed},
            "FaultStatistics": {"OtherCount": self.faults, "TotalCount": self.faults},
            "TotalCount": self.ok + failed + self.faults,
            "TotalResponseTime": round(self.seconds, 6),
        }


@dataclass
class _Edge:
    statistics: _Statistics = field(default_factory=_Statistics)
    # Of messages that waited in a queue: how long.
    ages: Counter[float] = field(default_factory=Counter)

    def as_edge(self, reference: int) -> dict[str, Any]:
        edge = {
            "ReferenceId": reference,
            **self.statistics.times_seen(),
            "SummaryStatistics": self.statistics.summary(),
            "Aliases": [],
        }
        if self.ages:
            return {**edge, "EdgeType": "link", "ReceivedEventAgeHistogram": _histogram(self.ages)}
        return {**edge, "ResponseTimeHistogram": _histogram(self.statistics.times)}


@dataclass
class _Node:
    service: dict[str, Any]
    inferred: bool = False
    root: bool = False
    statistics: _Statistics = field(default_factory=_Statistics)
    edges: dict[_Key, _Edge] = field(default_factory=dict)

    def as_service(self, reference: int, references: dict[_Key, int]) -> dict[str, Any]:
        service = {
            "ReferenceId": reference,
            **self.service,
            **({"Root": True} if self.root else {}),
            "State": "unknown" if self.inferred else "active",
            **self.statistics.times_seen(),
            "Edges": [edge.as_edge(references[key]) for key, edge in sorted(self.edges.items())],
        }
        if service.get("Type") == "client":
            return service
        histogram = _histogram(self.statistics.times)
        return {
            **service,
            "SummaryStatistics": self.statistics.summary(),
            "DurationHistogram": histogram,
            "ResponseTimeHistogram": histogram,
        }


class _Call(NamedTuple):
    """A segment or subsegment that another trace may be linked to."""

    part: Segment
    callee: _Key


class _Graph:
    def __init__(self) -> None:
        self._nodes: dict[_Key, _Node] = {}
        self._calls: dict[tuple[str, str], _Call] = {}
        self._roots: list[tuple[Segment, _Key]] = []
        self._links: dict[tuple[str, str, str], tuple[Segment, _Key]] = {}

    def add(self, trace: Trace) -> None:
        """Add the services and calls of one trace."""
        keys = {segment.id: self._counted(segment) for segment in trace.segments}
        owners = {part.id: (keys[segment.id], part) for segment in trace.segments for part in segment.walk()}
        for part_id, (key, part) in owners.items():
            self._calls[trace.id, part_id] = _Call(part, key)
            for link in part.document.get("links") or ():
                # A function's segment and its handler's subsegment may both name the sender: the first is who was told.
                self._links.setdefault((trace.id, trace_id(link["trace_id"]) or "", link["id"]), (part, key))
        for segment in trace.segments:
            key = keys[segment.id]
            if segment.parent_id in owners:
                caller, call = owners[segment.parent_id]
                self._edge(caller, key).statistics.add(call if call.is_subsegment else segment)
                if call.is_subsegment:
                    self._calls[trace.id, call.id] = _Call(call, key)
            else:
                self._nodes[key].root = True
                self._roots.append((segment, key))

    def connect_linked_traces(self) -> None:
        """Add the edges between traces; a trace that nothing else began was begun by a client."""
        begun_by_others = set()
        for (_, linked_trace, linked_part), (part, key) in self._links.items():
            call = self._calls.get((linked_trace, linked_part))
            if call:
                begun_by_others.add(part.trace_id)
                edge = self._edge(call.callee, key)
                edge.statistics.add(part)
                edge.ages[_rounded(max(0.0, part.start_time - (call.part.end_time or call.part.start_time)))] += 1
        for segment, key in self._roots:
            if segment.trace_id not in begun_by_others:
                client = _Key(segment.name, "client")
                service = {"Name": segment.name, "Names": [segment.name], "Type": "client"}
                self._nodes.setdefault(client, _Node(service, inferred=True)).statistics.add(segment)
                self._edge(client, key).statistics.add(segment)

    def as_services(self) -> list[dict[str, Any]]:
        """Write it as X-Ray does."""
        references = {key: reference for reference, key in enumerate(sorted(self._nodes))}
        return [self._nodes[key].as_service(reference, references) for key, reference in references.items()]

    def _counted(self, segment: Segment) -> _Key:
        service = service_id(segment)
        key = _Key(service["Name"], service.get("Type", ""))
        inferred = bool(segment.document.get("inferred"))
        node = self._nodes.setdefault(key, _Node(service, inferred))
        node.inferred &= inferred
        node.statistics.add(segment)
        return key

    def _edge(self, source: _Key, destination: _Key) -> _Edge:
        return self._nodes[source].edges.setdefault(destination, _Edge())


def _rounded(seconds: float) -> float:
    """Keep three digits, so that a histogram stays small however many requests there are."""
    return float(f"{seconds:.3g}")


def _histogram(times: Counter[float]) -> list[dict[str, float]]:
    return [{"Value": value, "Count": count} for value, count in sorted(times.items())]
