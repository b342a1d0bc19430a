"""What is kept when the emulator stops: all of it, also while threads still change it.

Tasks start and end on threads of their own. MiniStack leaves a service's state out, and says so in its log alone, when
one changes it while it is copied or written: the next start would then know nothing of that service.
"""

from __future__ import annotations

import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ministack import app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOOKS = ["ministack.app.save_all(services)"]
_TRIES = 100
_PAUSE_SECONDS = 0.02


def extend() -> None:
    """Copy a service's state as often as it takes to get a whole one."""
    save_all = app.save_all
    app.save_all = lambda services: save_all(patient(services))


def patient(services: Mapping[str, Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """Have each state be a copy that nobody changes while it is written."""
    return {name: _whole(get_state) for name, get_state in services.items()}


def _whole(get_state: Callable[[], Any]) -> Callable[[], Any]:
    def copied() -> Any:
        for _ in range(_TRIES):
            try:
                return deepcopy(get_state())
            except RuntimeError:  # what is copied changed its size
                time.sleep(_PAUSE_SECONDS)
        return deepcopy(get_state())

    return copied
