"""The services of one trace, and the edges between them, as the keywords `service` and `edge` mean them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lab.xray.summaries import root_of, service_id
from lab.xray.traces import with_inferred

if TYPE_CHECKING:
    from typing import Any

    from lab.xray.model import Segment, Trace


@dataclass(frozen=True)
class Service:
    """A service that the request reached.

    :param segment: what it sent, or what was inferred from a call to it.
    :param root: the request reached it first.
    """

    segment: Segment
    root: bool

    @cached_property
    def id(self) -> dict[str, Any]:
        """Name it as the service graph does."""
        return service_id(self.segment)

    @property
    def inferred(self) -> bool:
        """Tell whether it is known from the call alone."""
        return self.segment.flag("inferred")


@dataclass(frozen=True)
class Edge:
    """A call from one service to another.

    :param segment: the caller's subsegment for it; without one, what the called service sent.
    """

    source: Service
    destination: Service
    segment: Segment


def services_of(trace: Trace) -> list[Service]:
    """Find the services of a trace; one that was reached twice is in the list twice."""
    root = root_of(trace)
    return [Service(segment, root=segment is root) for segment in with_inferred(trace).segments]


def edges_between(services: list[Service]) -> list[Edge]:
    """Find the calls from each service to another."""
    callers = {part.id: (service, part) for service in services for part in service.segment.walk()}
    called = [service for service in services if service.segment.parent_id in callers]
    return [_edge(*callers[str(service.segment.parent_id)], service) for service in called]


def _edge(source: Service, call: Segment, destination: Service) -> Edge:
    return Edge(source, destination, call if call.is_subsegment else destination.segment)
