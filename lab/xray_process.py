"""Starts, finds and stops the local X-Ray: `python -m lab.xray`, with its traces under .lab/xray/."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from lab import processes
from lab.errors import LabError
from lab.project import LAB, ROOT

if TYPE_CHECKING:
    from lab.progress import Progress

FOLDER = LAB / "xray"
LOG = LAB / "xray.log"
# The process writes it once it has its ports, and leaves it there: the next one takes the same ones.
_RECORD = FOLDER / "process.json"
_USUAL_UDP_PORT = 2000
_START_SECONDS = 30
_ANSWER_SECONDS = 30
# It stores what it received before it ends.
_STOP_SECONDS = 10


@dataclass(frozen=True)
class XRay:
    """A process of ours that answers X-Ray's API on one port of this machine, and receives segments on another."""

    pid: int
    port: int
    udp_port: int

    @property
    def endpoint(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Name what points the AWS CLI, every SDK and whatever sends segments at it."""
        return {"AWS_ENDPOINT_URL_XRAY": self.endpoint, "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{self.udp_port}"}

    @property
    def process(self) -> psutil.Process | None:
        """The process, if it still runs; a process that merely has its number now is another one."""
        try:
            process = psutil.Process(self.pid)
            words = process.cmdline()  # none, if it ended and nobody has asked for its exit status yet
            return process if "lab.xray" in words and words[-1] == str(FOLDER) else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None

    def health(self) -> dict[str, Any] | None:
        """Ask it how it is, and what it received; nothing if it does not answer."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint}/_xray/health", timeout=5) as response:
                health: dict[str, Any] = json.loads(response.read())
        except (urllib.error.URLError, OSError, ValueError):
            return None
        # Another lab's X-Ray may have the port now.
        return health if health.get("pid") == self.pid else None


def recorded() -> XRay | None:
    """Find the one that was started last, whether it runs or not."""
    try:
        record = json.loads(_RECORD.read_text())
        return XRay(record["pid"], record["port"], record["udp_port"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def running() -> XRay | None:
    """Find the X-Ray of this checkout, if it runs."""
    xray = recorded()
    return xray if xray and xray.process else None


def start(progress: Progress) -> XRay:
    """Start it, or find the one that runs, and wait until it answers.

    Whoever calls this sees to it that nobody else does at the same time.

    :raises LabError: when it cannot start; the message says why.
    """
    before = recorded()
    if before and before.process:
        if _answers_at_last(before):
            return before
        progress.note(f"X-Ray (process {before.pid}) does not answer any more: it is ended and started again.")
        processes.end(before.process, seconds=_STOP_SECONDS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    process = _spawn(before)
    try:
        xray = _waited_for(process)
    except BaseException:  # Ctrl-C too: whoever waits no longer must not leave it behind.
        if process.poll() is None:
            processes.end(psutil.Process(process.pid), seconds=_STOP_SECONDS)
        raise
    usual = before.udp_port if before else _USUAL_UDP_PORT
    if xray.udp_port != usual:
        again = "; functions that run already send to the old one until `lab down`" if before else ""
        progress.note(f"UDP port {usual} is taken: X-Ray receives segments on {xray.udp_port}{again}.")
    return xray


def stop() -> None:
    """Stop it, if it runs; it keeps its traces."""
    xray = running()
    if xray and xray.process:
        processes.end(xray.process, seconds=_STOP_SECONDS)


def reset() -> None:
    """Stop it, and forget its traces, groups and sampling rules."""
    stop()
    if FOLDER.exists():
        shutil.rmtree(FOLDER)


def _spawn(before: XRay | None) -> subprocess.Popen[bytes]:
    ports = ["--port", str(before.port), "--udp-port", str(before.udp_port)] if before else []
    # The standard library is all that it needs, and these are all that the standard library needs.
    environment = {name: os.environ[name] for name in ("PATH", "TMPDIR", "SYSTEMROOT") if name in os.environ}
    with LOG.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "lab.xray", *ports, str(FOLDER)],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C at the terminal is for `lab`.
        )


def _waited_for(process: subprocess.Popen[bytes]) -> XRay:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        xray = recorded()
        if xray and xray.pid == process.pid and xray.health():
            return xray
        if process.poll() is not None:
            last = LOG.read_text(errors="replace").strip().splitlines()[-1:]
            raise LabError(f"X-Ray ended at its start: {''.join(last)} (all of it: {LOG})")
        if time.monotonic() > deadline:
            raise LabError(f"X-Ray did not answer within {_START_SECONDS} s; its log is {LOG}.")
        time.sleep(0.02)


def _answers_at_last(xray: XRay) -> bool:
    """Give a busy machine time."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    while not xray.health():
        if xray.process is None or time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
