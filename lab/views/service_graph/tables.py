"""The service graph as two tables: its nodes, and its edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.views.names import printable, short
from lab.views.service_graph.layout import layers
from lab.views.timeline import seconds

if TYPE_CHECKING:
    from lab.service_graph import ServiceGraph, ServiceKey, Statistics

_FIGURES = ("REQUESTS", "FAILED", "ERRORS", "THROTTLES", "FAULTS", "P50", "P90", "P99")
# Where these do not fit, their sum is what FAILED tells.
_KINDS_OF_FAILURE = {"ERRORS", "THROTTLES", "FAULTS"}
_FITS_ALL = 110


class Table(NamedTuple):
    """What is above each column, and what is in it."""

    columns: list[str]
    rows: list[list[str]]


def services(graph: ServiceGraph, *, width: int | None = None) -> Table:
    """Write a line for each service, in the order in which requests reach them.

    :param width: of a terminal, for short names and as many columns as fit; a program gets all.
    """
    figures = _shown(width)
    rows = [
        [_named(key, width), printable(key.type), *_figures_of(key, graph.services[key].statistics, figures)]
        for key in in_order(graph)
    ]
    return Table(["SERVICE", "TYPE", *figures], rows)


def calls(graph: ServiceGraph, *, width: int | None = None) -> Table:
    """Write a line for each edge; of messages in a queue the times are how long they waited.

    :param width: as for services.
    """
    figures, place = _shown(width), {key: number for number, key in enumerate(in_order(graph))}
    edges = sorted(graph.edges.values(), key=lambda edge: (place[edge.source], place[edge.destination]))
    rows = [
        [
            *(_with_type(_named(key, width), key) for key in (edge.source, edge.destination)),
            *_written(edge.statistics, figures),
        ]
        for edge in edges
    ]
    return Table(["FROM", "TO", *figures], rows)


def in_order(graph: ServiceGraph) -> list[ServiceKey]:
    """List the services in the order in which requests reach them."""
    keys = sorted(graph.services)
    layer = layers(keys, sorted(graph.edges))
    return sorted(keys, key=lambda key: (layer[key], key))


def titled(key: ServiceKey) -> str:
    """Name a service with its type: a Lambda function is two services of the same name."""
    return _with_type(printable(key.name), key)


def _with_type(name: str, key: ServiceKey) -> str:
    return f"{name} ({printable(key.type.removeprefix('AWS::'))})" if key.type else name


def _named(key: ServiceKey, width: int | None) -> str:
    return printable(key.name) if width is None else short(key.name)


def _shown(width: int | None) -> list[str]:
    all_fit = width is None or width >= _FITS_ALL
    return [figure for figure in _FIGURES if all_fit or figure not in _KINDS_OF_FAILURE]


def _figures_of(key: ServiceKey, statistics: Statistics, figures: list[str]) -> list[str]:
    # X-Ray counts no requests for the clients: their edges do.
    return [""] * len(figures) if key.type == "client" else _written(statistics, figures)


def _written(statistics: Statistics, figures: list[str]) -> list[str]:
    if not statistics.total:
        return ["0", *[""] * (len(figures) - 1)]
    times = {f"P{part}": statistics.percentile(part / 100) for part in (50, 90, 99)}
    written = {
        "REQUESTS": str(statistics.total),
        "FAILED": f"{statistics.failed:.1%}",
        "ERRORS": str(statistics.errors),
        "THROTTLES": str(statistics.throttles),
        "FAULTS": str(statistics.faults),
        **{name: "" if value is None else seconds(value) for name, value in times.items()},
    }
    return [written[figure] for figure in figures]
