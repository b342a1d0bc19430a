"""Events put and watched as ``lab events`` does against ``put_events`` and a poll written plainly: events a second."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.comparison import AtLeast, Comparison, Side
from benchmarks.workbench import measured

if TYPE_CHECKING:
    from benchmarks.workbench import Workbench

_EVENTS = 500
#: Fewer, as each takes longer.
_EVENTS_WRITTEN_PLAINLY = 100


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare both on the emulator, each from a bus through a rule to a queue, in a process of its own."""
    return [
        Comparison(
            title="events, through a rule to a queue",
            ours=Side("lab events put and tail", partial(_through, bench, "our_events.py", _EVENTS)),
            alternative=Side(
                "put_events, receive_message, one by one",
                partial(_through, bench, "plain_events.py", _EVENTS_WRITTEN_PLAINLY),
            ),
            unit="events/s",
            target=AtLeast(4),
        )
    ]


def _through(bench: Workbench, script: str, events: int) -> float:
    return measured(script, str(events), environment=bench.lab.environment)
