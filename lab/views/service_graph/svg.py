"""The service graph as a picture: an SVG that stands alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from lab.views.names import printable, short
from lab.views.service_graph.layout import Layout, layout
from lab.views.service_graph.tables import in_order, titled
from lab.views.timeline import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.service_graph import Edge, Service, ServiceGraph, ServiceKey, Statistics

_WIDTH, _HEIGHT = 226, 84
# From one service to the next, and from one layer to the next.
_ACROSS, _DOWN = _WIDTH + 44, _HEIGHT + 68
_MARGIN, _TOP = 32, 68
_LETTERS = 23
_OUTCOMES = {"ok": "#2e9e5b", "error": "#d9a300", "throttle": "#8a5cc2", "fault": "#d13b32"}
_QUIET = "#7d8590"
_STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1d2227 }
.title { font-size: 18px; font-weight: 600 }
.name { font-size: 14px; font-weight: 600 }
.small { font-size: 11.5px; fill: #57606a }
.label { font-size: 11px; fill: #40474f; text-anchor: middle }
"""


def svg(graph: ServiceGraph, title: str) -> str:
    """Draw the graph from top to bottom, each service with its figures, and each call with its own."""
    keys = in_order(graph)
    edges = [graph.edges[ends] for ends in sorted(graph.edges)]
    places = layout(keys, [(edge.source, edge.destination) for edge in edges])
    layers = max((layer for layer, _ in places.nodes.values()), default=0) + 1
    furthest = max((middle for _, middle in places.nodes.values()), default=0.5) + 0.5
    furthest = max([furthest, *(middle + 0.2 for way in places.edges for _, middle in way)])
    width = max(2 * _MARGIN + furthest * _ACROSS, 560)
    height = _TOP + layers * _DOWN - (_DOWN - _HEIGHT) + 56
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" role="img" aria-label="{_escaped(title)}">',
            f"<style>{_STYLE}</style>",
            f"<defs>{''.join(_arrowhead(colour) for colour in (_QUIET, *_OUTCOMES.values()))}</defs>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            f'<text class="title" x="{_MARGIN}" y="40">{_escaped(title)}</text>',
            *_edges(edges, places),
            *(_service(graph.services[key], *_corner(*places.nodes[key])) for key in keys),
            _legend(height - 24),
            "</svg>\n",
        ]
    )


def _corner(layer: int, middle: float) -> tuple[float, float]:
    """Find the upper left corner of a node."""
    return _MARGIN + middle * _ACROSS - _WIDTH / 2, _TOP + layer * _DOWN


# Services


def _service(service: Service, x: float, y: float) -> str:
    counts, key = service.statistics, service.key
    kind = "Clients" if key.type == "client" else key.type.removeprefix("AWS::")
    radius = _HEIGHT / 2 if key.type == "client" else 8
    inset = 22 if key.type == "client" else 14
    parts = [
        f"<title>{_escaped(titled(key))}: {_escaped(_described(counts))}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="{radius:g}" fill="#f6f8fa" stroke="{_colour(counts, _QUIET)}" '
        'stroke-width="1.5"/>',
        f'<text class="name" x="{inset}" y="24">{_escaped(_cut(short(key.name)))}</text>',
        f'<text class="small" x="{inset}" y="42">{_escaped(_cut(kind))}</text>',
    ]
    if counts.total:
        parts += [f'<text class="small" x="{inset}" y="59">{_escaped(_figures(counts))}</text>', _health(counts, inset)]
    return f'<g transform="translate({x:g} {y:g})">{"".join(parts)}</g>'


def _health(counts: Statistics, inset: int) -> str:
    """Draw how the requests ended, as parts of a bar."""
    width, drawn, bar = _WIDTH - 2 * inset, 0.0, []
    for outcome, count in _outcomes(counts).items():
        share = width * count / max(1, sum(_outcomes(counts).values()))
        if count:
            bar.append(f'<rect x="{inset + drawn:g}" y="67" width="{share:g}" height="6" fill="{_OUTCOMES[outcome]}"/>')
        drawn += share
    return "".join(bar)


def _outcomes(counts: Statistics) -> dict[str, int]:
    numbers = (counts.ok, counts.errors, counts.throttles, counts.faults)
    return dict(zip(_OUTCOMES, numbers, strict=True))


def _colour(counts: Statistics, otherwise: str) -> str:
    """Choose the colour of the worst that happened."""
    happened = [outcome for outcome, count in _outcomes(counts).items() if count and outcome != "ok"]
    return _OUTCOMES[happened[-1]] if happened else otherwise


def _figures(counts: Statistics) -> str:
    failed = f"{counts.failed:.0%} failed" if counts.failed else ""
    middle = counts.percentile(0.5)
    median = "" if middle is None else f"p50 {seconds(middle)}"
    return " · ".join(part for part in (f"{counts.total} req.", median, failed) if part)


def _described(counts: Statistics) -> str:
    parts = {f"p{part}": counts.percentile(part / 100) for part in (50, 90, 99)}
    times = [f"{name} {seconds(value)}" for name, value in parts.items() if value is not None]
    outcomes = [f"{count} {outcome}" for outcome, count in _outcomes(counts).items() if count]
    return ", ".join([f"{counts.total} requests", *outcomes, *times])


# Edges


def _edges(edges: Sequence[Edge], places: Layout[ServiceKey]) -> list[str]:
    """Draw the calls, each with an end of its own at the edge of a service; no line crosses a label."""
    sides: dict[tuple[ServiceKey, str], list[tuple[float, int]]] = defaultdict(list)
    for number, through in enumerate(places.edges):
        upper, lower = _ends(edges[number], places)
        sides[upper, "leaving"].append((through[1][1], number))
        sides[lower, "arriving"].append((through[-2][1], number))

    def port(key: ServiceKey, side: str, number: int) -> tuple[float, float]:
        x, y = _corner(*places.nodes[key])
        position = [one for _, one in sorted(sides[key, side])].index(number) + 1
        return x + _WIDTH * position / (len(sides[key, side]) + 1), y + (_HEIGHT if side == "leaving" else 0)

    drawn: list[tuple[str, str]] = []
    for number, edge in enumerate(edges):
        upper, lower = _ends(edge, places)
        if upper == lower:
            drawn.append(_edge(edge, *_loop(*_corner(*places.nodes[upper]))))
        else:
            between = [_corner(*place) for place in places.edges[number][1:-1]]
            middles = [(x + _WIDTH / 2, y) for x, y in between]
            way: list[tuple[float, float]] = [port(upper, "leaving", number), *middles, port(lower, "arriving", number)]
            drawn.append(_edge(edge, *_through(way), backwards=edge.source != upper))
    return [line for line, _ in drawn] + [label for _, label in drawn]


def _ends(edge: Edge, places: Layout[ServiceKey]) -> tuple[ServiceKey, ServiceKey]:
    """Tell which end of an edge is above, and which below."""
    upper, lower = sorted((edge.source, edge.destination), key=lambda key: places.nodes[key][0])
    return upper, lower


def _through(way: Sequence[tuple[float, float]]) -> tuple[str, tuple[float, float]]:
    """Draw a line through points, in a curve between layers and straight past the services of one; and its middle."""
    x, y = way[0]
    path = f"M{x:g} {y:g}"
    for next_x, next_y in way[1:]:
        bend, middle = (y + next_y) / 2, ((x + next_x) / 2, (y + next_y) / 2)
        path += f" C{x:g} {bend:g} {next_x:g} {bend:g} {next_x:g} {next_y:g}"
        x, y = next_x, next_y
        if (next_x, next_y) != way[-1]:
            y += _HEIGHT
            path += f" V{y:g}"
    return path, middle


def _loop(x: float, y: float) -> tuple[str, tuple[float, float]]:
    """Draw a line from the side of a service back to it."""
    side, away, upper, lower = x + _WIDTH, x + _WIDTH + 26, y + 22, y + _HEIGHT - 22
    return f"M{side:g} {upper:g} C{away:g} {upper:g} {away:g} {lower:g} {side:g} {lower:g}", (away, y + _HEIGHT / 2)


def _edge(edge: Edge, path: str, middle: tuple[float, float], *, backwards: bool = False) -> tuple[str, str]:
    counts = edge.statistics
    colour = _colour(counts, _QUIET)
    marker = f'marker-{"start" if backwards else "end"}="url(#{_arrow_id(colour)})"'
    dashes = ' stroke-dasharray="6 4"' if edge.link else ""
    median = counts.percentile(0.5)
    label = str(counts.total) if median is None else f"{counts.total} · {seconds(median)}"
    title = f"{titled(edge.source)} → {titled(edge.destination)}: {_described(counts)}"
    line = f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"{dashes} {marker}/>'
    x, y, width = *middle, 6.5 * len(label) + 4
    ground = f'<rect x="{x - width / 2:g}" y="{y - 8:g}" width="{width:g}" height="16" fill="#fff"/>'
    text = f'{ground}<text class="label" x="{x:g}" y="{y + 4:g}">{label}</text>'
    return f"<g><title>{_escaped(title)}</title>{line}</g>", text


def _arrowhead(colour: str) -> str:
    return (
        f'<marker id="{_arrow_id(colour)}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{colour}"/></marker>'
    )


def _arrow_id(colour: str) -> str:
    return f"arrow-{colour.lstrip('#')}"


def _legend(y: float) -> str:
    words = {"ok": "ok", "error": "error (4xx)", "throttle": "throttle (429)", "fault": "fault (5xx)"}
    parts, x = [], float(_MARGIN)
    for outcome, text in words.items():
        parts.append(f'<rect x="{x:g}" y="{y - 9:g}" width="10" height="10" rx="2" fill="{_OUTCOMES[outcome]}"/>')
        parts.append(f'<text class="small" x="{x + 16:g}" y="{y:g}">{text}</text>')
        x += 42 + 6.5 * len(text)
    line = f'<path d="M{x:g} {y - 4:g} h28" stroke="{_QUIET}" stroke-width="1.5" stroke-dasharray="6 4"/>'
    return "".join([*parts, line, f'<text class="small" x="{x + 36:g}" y="{y:g}">linked by messages</text>'])


def _escaped(text: str) -> str:
    return escape(printable(text), {'"': "&quot;"})


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
