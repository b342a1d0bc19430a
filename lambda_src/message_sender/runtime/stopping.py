"""Stops on Ctrl-C and on SIGTERM, once what is in flight is finished."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


class SignalStop(threading.Event):
    """An event that a signal may set.

    :param signal_number: the first signal that came, if one did.
    """

    signal_number: int | None = None

    @property
    def exit_status(self) -> int:
        """What a shell expects of a program that a signal ended; 0 if none did."""
        return 128 + self.signal_number if self.signal_number else 0


@contextmanager
def stop_on_signals() -> Iterator[SignalStop]:
    """Give an event that the first SIGINT or SIGTERM sets; the next one raises KeyboardInterrupt.

    To be used in the main thread, as Python handles signals there.
    """
    stop = SignalStop()

    def handle(signal_number: int, _: object) -> None:
        if stop.signal_number:
            raise KeyboardInterrupt
        stop.signal_number = signal_number
        stop.set()
        log.info("Finishing what is in flight; Ctrl-C again stops at once")

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
