"""One nested query of a graph against the same data by separate requests: milliseconds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.comparison import AtMost, Comparison, Side
from benchmarks.workbench import measured

if TYPE_CHECKING:
    from benchmarks.workbench import Workbench


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare both on the emulator, each in a process of its own."""
    return [
        Comparison(
            title="an order, its 20 books, their quotes and sales",
            ours=Side("one nested query", partial(_read, bench, "nested")),
            alternative=Side("the order, then each book: 21 requests", partial(_read, bench, "separate")),
            unit="ms",
            target=AtMost(0.3),
        )
    ]


def _read(bench: Workbench, way: str) -> float:
    environment = {**bench.lab.environment, "SERVERLESS_LAB_HOME": str(bench.lab_home)}
    bench.deploy("appsync")
    return measured("graph.py", way, environment=environment)
