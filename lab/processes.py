"""How the processes end that `lab` started."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable


def end(process: psutil.Process, *, seconds: float, workers: Iterable[psutil.Process] = ()) -> None:
    """Ask a process to end, and make it when it does not; one that has ended by itself is no error.

    :param seconds: how long it may take, to store what it has.
    :param workers: what it started, and may leave behind.
    """
    with suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            worker.kill()
