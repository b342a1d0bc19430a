"""The service graph as two tables: its nodes, and its edges."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.views.service_graph.layout import layers
from lab.views.timeline import printable, seconds

if TYPE_CHECKING:
    from lab.service_graph import Service, ServiceGraph, ServiceKey, Statistics

_FIGURES = ("REQUESTS", "FAILED", "ERRORS", "THROTTLES", "FAULTS", "P50", "P90", "P99")
SERVICES = ("SERVICE", "TYPE", *_FIGURES)
CALLS = ("FROM", "TO", *_FIGURES)


def services(graph: ServiceGraph) -> list[list[str]]:
    """Write a line for each service, in the order in which requests reach them."""
    return [[short(key.name), printable(key.type), *_figures_of(graph.services[key])] for key in in_order(graph)]


def calls(graph: ServiceGraph) -> list[list[str]]:
    """Write a line for each edge."""
    place = {key: number for number, key in enumerate(in_order(graph))}
    edges = sorted(graph.edges.values(), key=lambda edge: (place[edge.source], place[edge.destination]))
    return [[titled(edge.source), titled(edge.destination), *_figures(edge.statistics)] for edge in edges]


def in_order(graph: ServiceGraph) -> list[ServiceKey]:
    """List the services in the order in which requests reach them."""
    keys = sorted(graph.services)
    layer = layers(keys, sorted(graph.edges))
    return sorted(keys, key=lambda key: (layer[key], key))


def short(name: str) -> str:
    """Name a queue or a topic as people do, where X-Ray has its URL or ARN."""
    whole = not name.startswith(("arn:", "http://", "https://"))
    return printable(name if whole else re.split("[/:]", name.rstrip("/"))[-1])


def titled(key: ServiceKey) -> str:
    """Name a service with its type: a Lambda function is two services of the same name."""
    return f"{short(key.name)} ({printable(key.type.removeprefix('AWS::'))})" if key.type else short(key.name)


def _figures_of(service: Service) -> list[str]:
    # X-Ray counts no requests for the clients: their edges do.
    return [""] * len(_FIGURES) if service.key.type == "client" else _figures(service.statistics)


def _figures(statistics: Statistics) -> list[str]:
    if not statistics.total:
        return ["0", *[""] * (len(_FIGURES) - 1)]
    counts = (statistics.errors, statistics.throttles, statistics.faults)
    percentiles = [statistics.percentile(part) for part in (0.5, 0.9, 0.99)]
    return [
        str(statistics.total),
        f"{statistics.failed:.1%}",
        *map(str, counts),
        *("" if value is None else seconds(value) for value in percentiles),
    ]
