"""The local X-Ray's receiver against a plain one, and against what was sent: segments stored, and segments lost."""

from __future__ import annotations

import json
import sys
from functools import partial
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from benchmarks.comparison import AtLeast, Comparison, Side
from benchmarks.workbench import HERE, MeasurementError, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.workbench import Workbench

#: Segments a second that the receiver is to take on one core, none lost.
_RATE = 20_000
_SEGMENTS = 60_000
#: More than either receiver can be expected to take.
_FASTER = 40_000
_SERVICE = [sys.executable, "-m", "lab.xray", "--udp-port", "0"]
_PLAIN = [sys.executable, str(HERE / "measured" / "plain_receiver.py")]


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare what is stored a second when up to 40,000 are sent, and all that is when 20,000 are."""
    return [
        Comparison(
            title=f"segments stored, {_FASTER:,} sent a second at most",
            ours=Side("lab.xray", partial(_stored_a_second, bench, _SERVICE)),
            alternative=Side("recvfrom, json.loads, INSERT, commit", partial(_stored_a_second, bench, _PLAIN)),
            unit="segments/s",
        ),
        Comparison(
            title=f"segments kept, {_RATE:,} sent a second",
            ours=Side("lab.xray, kept", partial(_kept, bench)),
            alternative=Side("sent", lambda: float(_SEGMENTS)),
            unit="segments",
            target=AtLeast(1),
        ),
    ]


def _stored_a_second(bench: Workbench, command: Sequence[str]) -> float:
    received = _received(bench, command, _FASTER)
    return received["kept"] / received["storing"]


def _kept(bench: Workbench) -> float:
    received = _received(bench, _SERVICE, _RATE)
    sent = _SEGMENTS / received["sending"]
    if sent < 0.95 * _RATE:
        raise MeasurementError(f"only {sent:,.0f} segments a second could be sent, and {_RATE:,} were to be")
    return received["kept"]


def _received(bench: Workbench, command: Sequence[str], rate: int) -> dict[str, float]:
    folder = mkdtemp(dir=bench.folder)
    words = (folder, str(rate), str(_SEGMENTS), *command)
    printed = run(sys.executable, HERE / "measured" / "receive.py", *words, environment=bench.environment)
    received: dict[str, float] = json.loads(printed)
    return received
