"""The table of ratios."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.comparison import Measurement

COLUMNS = ["COMPARISON", "OURS", "AGAINST", "RATIO", "MIN-MAX", "TARGET", ""]


def row(measured: Measurement) -> list[str]:
    """Write one comparison: the medians of both sides, and of the ratio with its range."""
    compared = measured.comparison
    return [
        compared.title,
        f"{figure(median(measured.ours))} {compared.unit}",
        f"{compared.alternative.name}: {figure(median(measured.alternative))} {compared.unit}",
        ratio(measured.ratio),
        f"{ratio(min(measured.ratios))}-{ratio(max(measured.ratios))}",
        str(compared.target or ""),
        {True: "reached", False: "missed", None: ""}[measured.reached],
    ]


def figure(value: float) -> str:
    """Write a figure with three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(value: float) -> str:
    """Write a ratio: below 10 to the hundredth, as targets near 1 need."""
    return f"{value:.1f}x" if value >= 10 else f"{value:.2f}x"
