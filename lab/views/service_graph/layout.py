"""Where the nodes of a directed graph go when it is drawn in layers, one after the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Node = TypeVar("Node")

_SWEEPS = 8
# A line that passes a layer needs less room in it than a node.
_LINE = 0.4


@dataclass(frozen=True)
class Point(Generic[Node]):
    """A place in a layer: of a node, or of an edge that passes it on its way."""

    node: Node | None
    of_edge: tuple[int, int] = (0, 0)

    @property
    def room(self) -> float:
        """The room that it needs in its layer, in nodes."""
        return 1.0 if self.node is not None else _LINE


@dataclass(frozen=True)
class Layout(Generic[Node]):
    """The places of all nodes and edges.

    :param nodes: the layer of each, and its middle there, in nodes from the layer's beginning.
    :param edges: the places that each edge goes through, its ends too, from the first layer to the last.
    """

    nodes: Mapping[Node, tuple[int, float]]
    edges: Sequence[Sequence[tuple[int, float]]]


def layers(nodes: Sequence[Node], edges: Sequence[tuple[Node, Node]]) -> dict[Node, int]:
    """Put every node behind all that lead to it, except for what leads back in a circle."""
    after = _without_circles(nodes, edges)
    layer = dict.fromkeys(nodes, 0)
    for node in after:  # In an order in which nothing comes before what leads to it.
        for following in after[node]:
            layer[following] = max(layer[following], layer[node] + 1)
    return layer


def layout(nodes: Sequence[Node], edges: Sequence[tuple[Node, Node]]) -> Layout[Node]:
    """Find places in which few edges cross."""
    layer = layers(nodes, edges)
    points = {node: Point(node) for node in nodes}
    columns = defaultdict[int, list[Point[Node]]](list)
    for node in nodes:
        columns[layer[node]].append(points[node])
    ways = []
    for number, ends in enumerate(edges):
        before, behind = sorted(ends, key=layer.__getitem__)
        between = range(layer[before] + 1, layer[behind])
        passing: list[Point[Node]] = [Point(None, (number, column)) for column in between]
        for column, point in zip(between, passing, strict=True):
            columns[column].append(point)
        ways.append([points[before], *passing, points[behind]])
    middles = _placed([columns[number] for number in sorted(columns)], ways)
    place = {point: (number, middles[point]) for number, column in columns.items() for point in column}
    return Layout({node: place[points[node]] for node in nodes}, [[place[point] for point in way] for way in ways])


def _without_circles(nodes: Sequence[Node], edges: Sequence[tuple[Node, Node]]) -> dict[Node, list[Node]]:
    """Leave out what leads back; the nodes come in an order in which nothing precedes what leads to it."""
    after = defaultdict[Node, list[Node]](list)
    for source, destination in edges:
        after[source].append(destination)
    called = {destination for source, destination in edges if source != destination}
    kept: dict[Node, list[Node]] = {}
    entered: set[Node] = set()

    def enter(node: Node) -> None:
        entered.add(node)
        below = []
        for following in after[node]:
            if following not in entered:
                enter(following)
            if following in kept:  # Or else this is on the way from there to here.
                below.append(following)
        kept[node] = below

    for start in sorted(nodes, key=called.__contains__):
        if start not in entered:
            enter(start)
    return dict(reversed(kept.items()))


def _placed(columns: list[list[Point[Node]]], ways: Iterable[Sequence[Point[Node]]]) -> dict[Point[Node], float]:
    """Order each layer, and then move every point as near to its neighbours as the others let it."""
    before, behind = (
        defaultdict[Point[Node], list[Point[Node]]](list),
        defaultdict[Point[Node], list[Point[Node]]](list),
    )
    for way in ways:
        for one, other in pairwise(way):
            behind[one].append(other)
            before[other].append(one)
    middles: dict[Point[Node], float] = {}
    for column in columns:
        _stack(column, dict.fromkeys(column, 0.0), middles)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            neighbours = before if forward else behind
            wanted = {point: _mean([middles[one] for one in neighbours[point]], middles[point]) for point in column}
            column.sort(key=wanted.__getitem__)
            _stack(column, wanted, middles)
    start = min(middles[point] - point.room / 2 for column in columns for point in column) if columns else 0.0
    return {point: middle - start for point, middle in middles.items()}


def _stack(column: list[Point[Node]], wanted: Mapping[Point[Node], float], middles: dict[Point[Node], float]) -> None:
    """Put the points of a layer one beside the other, on the whole where they want to be."""
    end = float("-inf")
    for point in column:
        middles[point] = max(wanted[point], end + point.room / 2)
        end = middles[point] + point.room / 2
    shift = _mean([wanted[point] - middles[point] for point in column], 0.0)
    for point in column:
        middles[point] += shift


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
