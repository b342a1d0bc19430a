"""What is compared, how both sides are measured by turns, and the ratios that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.progress import Progress


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared; ``measure`` does it once and returns the figure."""

    name: str
    measure: Callable[[], float]


class Target(Protocol):
    """What the ratio should be."""

    def reached_by(self, ratio: float) -> bool:
        """Say whether this ratio is good enough."""


@dataclass(frozen=True)
class AtLeast:
    """A target for what is the better, the more there is of it: messages a second."""

    ratio: float

    def reached_by(self, ratio: float) -> bool:
        return ratio >= self.ratio

    def __str__(self) -> str:
        return f"at least {self.ratio:g}x"


@dataclass(frozen=True)
class AtMost:
    """A target for what is the better, the less there is of it: time."""

    ratio: float

    def reached_by(self, ratio: float) -> bool:
        return ratio <= self.ratio

    def __str__(self) -> str:
        return f"at most {self.ratio:g}x"


@dataclass(frozen=True)
class Comparison:
    """Ours against an alternative, both in ``unit``."""

    title: str
    ours: Side
    alternative: Side
    unit: str
    target: Target | None = None


@dataclass(frozen=True)
class Measurement:
    """The figures of both sides, one for each round."""

    comparison: Comparison
    ours: Sequence[float]
    alternative: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """Ours divided by the alternative, round by round: what slowed a round down, slowed both."""
        return [ours / alternative for ours, alternative in zip(self.ours, self.alternative, strict=True)]

    @property
    def ratio(self) -> float:
        """The ratio in the middle."""
        return median(self.ratios)

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached, if there is one."""
        return self.comparison.target.reached_by(self.ratio) if self.comparison.target else None

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints for it."""
        compared = self.comparison
        return {
            "title": compared.title,
            "unit": compared.unit,
            "ours": {"name": compared.ours.name, "median": median(self.ours), "rounds": list(self.ours)},
            "alternative": {
                "name": compared.alternative.name,
                "median": median(self.alternative),
                "rounds": list(self.alternative),
            },
            "ratio": {"median": self.ratio, "min": min(self.ratios), "max": max(self.ratios)},
            "target": str(compared.target) if compared.target else None,
            "reached": self.reached,
        }


def measure(comparisons: Sequence[Comparison], rounds: int, progress: Progress) -> list[Measurement]:
    """Measure all sides in every round, and a side that several comparisons share once in each.

    The first round fills caches and byte-compiles, and does not count. The order is turned round after each, so that
    no side always profits from what the one before it left.
    """
    sides = list(dict.fromkeys(side for compared in comparisons for side in (compared.alternative, compared.ours)))
    figures: dict[Side, list[float]] = {side: [] for side in sides}
    for number in range(rounds + 1):
        for side in sides:
            progress.detail(f"{f'round {number} of {rounds}' if number else 'warming up'}: {side.name}")
            figures[side].append(side.measure())
        sides.reverse()
    return [
        Measurement(compared, figures[compared.ours][1:], figures[compared.alternative][1:]) for compared in comparisons
    ]
