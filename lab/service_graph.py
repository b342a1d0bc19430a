"""The service graph as X-Ray tells of it: which service calls which, how often, how long, and with what outcome."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.traces import windows
from lab.xray.service_graph import percentile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


# The first that there is tells how long requests took; the last one is that of messages in a queue.
_HISTOGRAMS = ("ResponseTimeHistogram", "DurationHistogram", "ReceivedEventAgeHistogram")


class ServiceKey(NamedTuple):
    """What makes two nodes of two answers the same service."""

    name: str
    type: str
    account_id: str

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> ServiceKey:
        """Take a ``Service`` of X-Ray's API."""
        return cls(*(answer.get(field) or "" for field in ("Name", "Type", "AccountId")))


@dataclass
class Statistics:
    """How the requests to a service, or on an edge, went.

    :param errors: client errors other than throttles.
    :param latencies: the number of requests for each response time in seconds; of a queue's messages, for each time
        that they waited.
    """

    total: int = 0
    ok: int = 0
    errors: int = 0
    throttles: int = 0
    faults: int = 0
    latencies: Counter[float] = field(default_factory=Counter)

    def add(self, answer: Mapping[str, Any]) -> None:
        """Add what X-Ray's API tells of a ``Service`` or an ``Edge``."""
        counts = answer.get("SummaryStatistics") or {}
        errors = counts.get("ErrorStatistics") or {}
        throttles = errors.get("ThrottleCount") or 0
        self.total += counts.get("TotalCount") or 0
        self.ok += counts.get("OkCount") or 0
        self.errors += (errors.get("TotalCount") or 0) - throttles
        self.throttles += throttles
        self.faults += (counts.get("FaultStatistics") or {}).get("TotalCount") or 0
        histograms = (answer.get(name) for name in _HISTOGRAMS)
        for entry in next(filter(None, histograms), ()):
            self.latencies[entry["Value"]] += entry["Count"]

    @property
    def failed(self) -> float:
        """Which part of the requests had an error, a throttle or a fault, 0 to 1."""
        return (self.errors + self.throttles + self.faults) / self.total if self.total else 0.0

    def percentile(self, part: float) -> float | None:
        """Find the response time that ``part`` of the requests took at the most; none if none is known."""
        return percentile([{"Value": value, "Count": count} for value, count in self.latencies.items()], part)

    def as_json(self) -> dict[str, Any]:
        """Return what ``lab traces graph --json`` prints for it."""
        counts = {"total": self.total, "ok": self.ok, "errors": self.errors, "throttles": self.throttles}
        percentiles = {f"p{part}": self.percentile(part / 100) for part in (50, 90, 99)}
        return {**counts, "faults": self.faults, "failed": self.failed, **percentiles}


@dataclass
class Service:
    """A node of the service graph.

    :param root: requests reached it first.
    """

    key: ServiceKey
    root: bool = False
    statistics: Statistics = field(default_factory=Statistics)


@dataclass
class Edge:
    """The calls from one node to another.

    :param link: they are linked, as a queue's consumer is to its senders, rather than one request.
    """

    source: ServiceKey
    destination: ServiceKey
    link: bool = False
    statistics: Statistics = field(default_factory=Statistics)


@dataclass(frozen=True)
class ServiceGraph:
    """Which service calls which."""

    services: dict[ServiceKey, Service] = field(default_factory=dict)
    edges: dict[tuple[ServiceKey, ServiceKey], Edge] = field(default_factory=dict)

    def add(self, answer: Sequence[Mapping[str, Any]]) -> None:
        """Add the ``Services`` of X-Ray's API; their ``ReferenceId`` is good for one answer alone."""
        keys = {told["ReferenceId"]: ServiceKey.of(told) for told in answer}
        for told in answer:
            key = keys[told["ReferenceId"]]
            service = self.services.setdefault(key, Service(key))
            service.root |= bool(told.get("Root"))
            service.statistics.add(told)
            for call in told.get("Edges") or ():
                ends = key, keys[call["ReferenceId"]]
                edge = self.edges.setdefault(ends, Edge(*ends))
                edge.link |= call.get("EdgeType") == "link"
                edge.statistics.add(call)

    def as_json(self) -> dict[str, Any]:
        """Return what ``lab traces graph --json`` prints."""
        return {
            "services": [
                {**one.key._asdict(), "root": one.root, **one.statistics.as_json()} for one in self.services.values()
            ],
            "edges": [
                {
                    "source": edge.source._asdict(),
                    "destination": edge.destination._asdict(),
                    "link": edge.link,
                    **edge.statistics.as_json(),
                }
                for edge in self.edges.values()
            ],
        }


def service_graph(xray: Any, *, seconds: int, group: str | None = None) -> ServiceGraph:
    """Get the service graph of the last ``seconds``."""
    graph, of_group = ServiceGraph(), {"GroupName": group} if group else {}
    for window in windows(seconds):
        pages = xray.get_paginator("get_service_graph").paginate(**window, **of_group)
        # An edge can lead from one page to another.
        graph.add([service for page in pages for service in page["Services"]])
    return graph
