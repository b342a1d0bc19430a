"""Starts, finds and stops the emulator: MiniStack, on a loopback port, with its state and its log under .lab/.

MiniStack has no X-Ray, so the lab's own runs beside it, and is started and stopped with it.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from lab import emulator_process, emulator_state, ports, xray_process
from lab.emulator_process import LOG, RECORD, STATE
from lab.engine import service as engine_service
from lab.errors import LabError, UsageError
from lab.project import LAB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.emulator_process import Emulator
    from lab.engine.discovery import Engine
    from lab.progress import Progress

#: The environment variable that names the port of 127.0.0.1 which a new emulator takes, if it is free.
CHOICE = "SERVERLESS_LAB_PORT"
_USUAL_PORT = 4566
_PORT = STATE / "port"
_PORTS_TO_CHOOSE = range(1024, 65536)
_PORTS_TRIED = 5
_LOCK_SECONDS = 120


def running() -> Emulator | None:
    """Find the emulator of this checkout, if it runs."""
    emulator = emulator_process.recorded()
    return emulator if emulator and emulator.process else None


def found(progress: Progress) -> Emulator | None:
    """Find the emulator of this checkout, if it runs, and see to it that its X-Ray runs too.

    :raises LabError: when X-Ray cannot be started again.
    """
    emulator = running()
    if emulator and xray_process.running() is None:
        with _alone():
            _start_xray_again(progress)
    return emulator


def start(progress: Progress) -> Emulator:
    """Start the emulator, or find the one that runs, and wait until it answers.

    :param progress: is told what the person at the terminal should know.
    :raises LabError: when it cannot start; the message says why.
    """
    with _alone():
        emulator = running()
        if emulator:
            if emulator.answers_at_last():
                _start_xray_again(progress)
                return emulator
            progress.note(
                f"The emulator (process {emulator.pid}) does not answer any more: it is ended and started again."
            )
            emulator.end()
        broken = emulator_state.set_aside_if_broken()
        if broken:
            progress.note(broken)
        STATE.mkdir(parents=True, exist_ok=True)
        xray = xray_process.start(progress)
        try:
            return _started_on_a_free_port(xray.settings, progress)
        except BaseException:  # Ctrl-C too: whoever waits no longer must not leave it behind.
            xray_process.stop()
            raise


def lend_engine() -> Engine | None:
    """Lend the running emulator the container engine of this machine, if there is one.

    :raises LabError: when the engine's API cannot be started.
    """
    with _alone():
        emulator = running()
        return engine_service.lend(f"127.0.0.1:{emulator.port}") if emulator else None


def stop() -> Emulator | None:
    """Stop the emulator so that it keeps its state; return it, or nothing if none ran.

    :raises LabError: when its state is lost, because it had to be killed.
    """
    with _alone():
        emulator = running()
        if emulator:
            emulator.end()
        engine_service.take_back()
        xray_process.stop()
        if emulator and RECORD.exists():
            raise LabError(
                f"The emulator (process {emulator.pid}) ended without having written its state: "
                f"what was deployed is lost. Its log is {LOG}."
            )
        return emulator


def reset() -> list[str]:
    """End the emulator and forget everything that it kept, what was set aside too.

    Return a command for each container engine that does not answer, and may still have volumes of this lab.
    """
    with _alone():
        emulator = running()
        if emulator:
            emulator.end()
        RECORD.unlink(missing_ok=True)
        engine_service.take_back()
        left = engine_service.remove_volumes()
        engine_service.forget()
        xray_process.reset()
        for folder in [STATE, *LAB.glob("emulator-broken-*")]:
            if folder.exists():
                shutil.rmtree(folder)
        return left


@contextmanager
def _alone() -> Iterator[None]:
    lock = FileLock(LAB / "emulator.lock", timeout=_LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise LabError("Another `lab` has been starting or stopping the emulator for minutes: end it first.") from None
    try:
        yield
    finally:
        lock.release()


def _start_xray_again(progress: Progress) -> None:
    if xray_process.running() is None:
        progress.note("X-Ray did not run any more: it is started again, with the traces that it had.")
    xray_process.start(progress)


def _started_on_a_free_port(xray: Mapping[str, str], progress: Progress) -> Emulator:
    """Start it; again on another port, if another program takes the chosen one before the emulator has it."""
    for _ in range(_PORTS_TRIED):
        port = _free_port(progress)
        _lend_engine_again(port, progress)
        emulator = emulator_process.spawn(port, xray)
        try:
            emulator.wait_until_it_answers()
        except BaseException as error:
            emulator.end()
            RECORD.unlink(missing_ok=True)
            if isinstance(error, LabError) and not ports.is_free(port):
                continue
            raise
        _PORT.write_text(str(port))
        return emulator
    raise LabError(
        f"Other programs took {_PORTS_TRIED} ports of 127.0.0.1 as soon as they were chosen: end a program that opens "
        "many, then again."
    )


def _lend_engine_again(port: int, progress: Progress) -> None:
    """Lend what was lent before, for the tasks that the emulator is about to start again."""
    if engine_service.lent() is None:
        return
    try:
        engine_service.take_back()
        engine_service.lend(f"127.0.0.1:{port}")
    except LabError as error:  # most sections run no container
        progress.note(f"No container runs: {error}")


def _free_port(progress: Progress) -> int:
    """Choose the port that was used before, as queue URLs in deployed stacks name it; else the usual one; else any."""
    usual = _usual_port()
    before = int(_PORT.read_text()) if _PORT.exists() else usual
    port = ports.first_free([before, usual])
    if port != before:
        again = ", so `lab up` what was deployed before once more" if _PORT.exists() else ""
        progress.note(f"Port {before} is taken: the emulator uses {port}{again}.")
    return port


def _usual_port() -> int:
    chosen = os.environ.get(CHOICE) or str(_USUAL_PORT)
    if not (chosen.isdecimal() and int(chosen) in _PORTS_TO_CHOOSE):
        raise UsageError(f"{CHOICE} is {chosen}: a number from 1024 to 65535; or leave it unset.")
    return int(chosen)
