"""A process that `lab` started ends: when it is asked to, or when it has had its time; and so does what it started."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from lab import processes
from lab.runbook import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ASKED = """
import pathlib, signal, sys, time
noted = pathlib.Path(sys.argv[1])
def asked(*_):
    (noted / "asked").touch()
    {then}
signal.signal(signal.SIGTERM, asked)
(noted / "ready").touch()
time.sleep(60)
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], psutil.Process]]:
    """Start Python programs, each of which has begun when it has noted so."""
    made: list[subprocess.Popen[bytes]] = []

    def start(then: str) -> psutil.Process:
        (tmp_path / "ready").unlink(missing_ok=True)
        made.append(subprocess.Popen([sys.executable, "-c", ASKED.format(then=then), str(tmp_path)]))
        assert wait_for((tmp_path / "ready").exists)
        return psutil.Process(made[-1].pid)

    yield start
    for one in made:
        one.kill()
        one.wait()


def test_it_is_asked_first(started: Callable[[str], psutil.Process], tmp_path: Path) -> None:
    process = started("sys.exit()")

    processes.end(process, seconds=60)

    assert (tmp_path / "asked").exists()
    assert not process.is_running()


def test_it_is_made_to_when_its_time_is_over(started: Callable[[str], psutil.Process], tmp_path: Path) -> None:
    process = started("pass")

    processes.end(process, seconds=0.5)

    assert (tmp_path / "asked").exists()
    assert not process.is_running()


def test_what_it_started_ends_with_it(started: Callable[[str], psutil.Process]) -> None:
    process, worker = started("sys.exit()"), started("pass")

    processes.end(process, seconds=60, workers=[worker])

    assert wait_for(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def test_what_has_ended_by_itself_is_no_error(started: Callable[[str], psutil.Process]) -> None:
    process, worker = started("pass"), started("pass")
    for one in (process, worker):
        one.kill()
        one.wait()

    processes.end(process, seconds=60, workers=[worker])
