"""Spaces messages in time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """Lets a batch pass when the messages before it have had their time.

    A batch that is late by less than its own time does not delay those after it, so the rate is kept. One that is
    later starts the schedule anew: what was missed is not made up for in a burst.

    :param seconds_per_message: 0 lets everything pass at once.
    :param wait: waits for so many seconds, or less if the sending is to stop.
    """

    def __init__(
        self, seconds_per_message: float, wait: Callable[[float], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds_per_message = seconds_per_message
        self._wait = wait
        self._clock = clock
        self._due = clock()

    def wait_for(self, messages: int) -> None:
        """Wait until a batch of so many ``messages`` may go."""
        delay = self._due - self._clock()
        if delay > 0:
            self._wait(min(delay, threading.TIMEOUT_MAX))
        self._due = max(self._due + messages * self._seconds_per_message, self._clock())
