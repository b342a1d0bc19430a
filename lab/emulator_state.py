"""Whether the state that the emulator left behind can be relied on."""

from __future__ import annotations

import json
import time

from lab.emulator_process import RECORD, STATE
from lab.project import LAB


def set_aside_if_broken() -> str | None:
    """Move a state that is not whole out of the way, and say in a sentence why and where it is."""
    reason = _what_broke()
    if reason is None:
        return None
    aside = LAB / f"emulator-broken-{time.strftime('%Y%m%d-%H%M%S')}"
    if STATE.exists():
        STATE.rename(aside)
    RECORD.unlink(missing_ok=True)
    return f"{reason}: the lab starts from nothing. What was left of the state is in {aside}."


def _what_broke() -> str | None:
    """Say why the state cannot be relied on.

    The emulator writes all of it when it is stopped, and only then, and removes its record when it has.
    """
    if RECORD.exists():
        return "The emulator was killed instead of stopped (`lab down`), so its state is not whole"
    for file in (STATE / "state").glob("*.json*"):
        if file.suffix == ".tmp":
            return f"The emulator's state was being written when it was killed ({file.name})"
        try:
            json.loads(file.read_bytes())
        except ValueError:
            return f"The emulator's state is damaged ({file.name} is not JSON)"
    return None
