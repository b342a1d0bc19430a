"""Starts, finds and stops the emulator: MiniStack, on a loopback port, with its state and its log under .lab/.

MiniStack has no X-Ray, so the lab's own runs beside it, and is started and stopped with it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock, Timeout

from lab import isolation, ports, xray_process
from lab.engine import service as engine_service
from lab.errors import LabError
from lab.project import ENVIRONMENTS, LAB, SCRIPTS, python_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.engine.discovery import Engine
    from lab.progress import Progress

USUAL_PORT = 4566
STATE = LAB / "emulator"
LOG = LAB / "emulator.log"
_RECORD = LAB / "emulator.json"
_PORT = STATE / "port"
_START_SECONDS = 60
_PORTS_TRIED = 5
_STOP_SECONDS = 60


@dataclass(frozen=True)
class Emulator:
    """A process of ours that answers the AWS API on a port of this machine."""

    pid: int
    created: float
    port: int

    @property
    def endpoint(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Name what points the AWS CLI, every SDK and the CDK CLI at it, and at the X-Ray beside it."""
        xray = xray_process.recorded()
        return isolation.emulator_settings(self.endpoint, xray.settings if xray else {})

    @property
    def process(self) -> psutil.Process | None:
        """The process, if it still runs; a process that merely has its number now is another one."""
        try:
            process = psutil.Process(self.pid)
            alive = process.status() != psutil.STATUS_ZOMBIE
            return process if alive and abs(process.create_time() - self.created) < 1 else None
        except psutil.NoSuchProcess:
            return None

    @property
    def listens(self) -> bool:
        """Whether it is this process that has the port, and not another one that was faster."""
        process = self.process
        connections = process.net_connections(kind="tcp") if process else []
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == self.port for one in connections)

    @property
    def answers(self) -> bool:
        """Whether the API is up."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint}/_ministack/health", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def running() -> Emulator | None:
    """Find the emulator of this checkout, if it runs."""
    emulator = _recorded()
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
            if _answers_at_last(emulator):
                _start_xray_again(progress)
                return emulator
            progress.note(
                f"The emulator (process {emulator.pid}) does not answer any more: it is ended and started again."
            )
            _end(emulator)
        _set_aside_broken_state(progress)
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
            _end(emulator)
        engine_service.take_back()
        xray_process.stop()
        if emulator and _RECORD.exists():
            raise LabError(
                f"The emulator (process {emulator.pid}) ended without having written its state: "
                f"what was deployed is lost. Its log is {LOG}."
            )
        return emulator


def reset() -> None:
    """End the emulator and forget everything that it kept, what was set aside too."""
    with _alone():
        emulator = running()
        if emulator:
            _end(emulator)
        _RECORD.unlink(missing_ok=True)
        engine_service.take_back()
        engine_service.remove_volumes()
        engine_service.forget()
        xray_process.reset()
        for folder in [STATE, *LAB.glob("emulator-broken-*")]:
            if folder.exists():
                shutil.rmtree(folder)


def _recorded() -> Emulator | None:
    try:
        return Emulator(**json.loads(_RECORD.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


@contextmanager
def _alone() -> Iterator[None]:
    lock = FileLock(LAB / "emulator.lock", timeout=_START_SECONDS + _STOP_SECONDS)
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
        emulator = _spawn(port, xray)
        _RECORD.write_text(json.dumps(asdict(emulator)))
        try:
            _wait_until_it_answers(emulator)
        except BaseException as error:
            _end(emulator)
            _RECORD.unlink(missing_ok=True)
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


def _spawn(port: int, xray: Mapping[str, str]) -> Emulator:
    environment = isolation.environment_without_aws()
    # Functions get the emulator's variables: none of the caller's may make a forgotten dependency importable.
    kept = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
    settings = {
        # It runs the JavaScript of AppSync's resolvers on the Node.js of set-up.
        "PATH": f"{SCRIPTS}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(STATE / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(STATE / "s3"),
        "TMPDIR": str(STATE / "tmp"),
        "LAMBDA_PYTHON": str(python_of("lambda-runtime")),
        "EMULATOR_RECORD": str(_RECORD),
        # Services find no engine by themselves: only what is proven with one gets the one that `lab` lends.
        "DOCKER_HOST": f"unix://{STATE / 'no-engine.sock'}",
        "CONTAINER_ENGINE": str(engine_service.RECORD),
        "LAB_HOME": str(LAB),
        "POSTGRESQL_ENVIRONMENT": str(ENVIRONMENTS / "postgresql"),
        "POSTGRESQL_STATE": str(STATE / "postgresql"),
        # Functions send their segments there.
        **xray,
    }
    (STATE / "tmp").mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            [python_of("emulator"), "-I", Path(__file__).with_name("emulator_server.py")],
            env={**kept, **settings},
            cwd=STATE,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C at the terminal is for `lab`, which lets the emulator keep its state.
        )
    return Emulator(process.pid, psutil.Process(process.pid).create_time(), port)


def _wait_until_it_answers(emulator: Emulator) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not (emulator.listens and emulator.answers):
        if emulator.process is None:
            last = LOG.read_text(errors="replace").strip().splitlines()[-1:]
            raise LabError(f"The emulator ended at its start: {''.join(last)} (all of it: {LOG})")
        if time.monotonic() > deadline:
            raise LabError(f"The emulator did not answer within {_START_SECONDS} s; its log is {LOG}.")
        time.sleep(0.05)


def _answers_at_last(emulator: Emulator) -> bool:
    """Give a busy machine time: to end the emulator would take its users' work away."""
    deadline = time.monotonic() + _START_SECONDS
    while not emulator.answers:
        if emulator.process is None or time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def _end(emulator: Emulator) -> None:
    process = emulator.process
    if process is None:
        return
    workers = process.children(recursive=True)
    process.terminate()  # It writes its state before it ends.
    try:
        process.wait(_STOP_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            worker.kill()


def _free_port(progress: Progress) -> int:
    """Choose the port that was used before, as queue URLs in deployed stacks name it; else the usual one; else any."""
    before = int(_PORT.read_text()) if _PORT.exists() else USUAL_PORT
    port = ports.first_free([before, USUAL_PORT])
    if port != before:
        again = ", so `lab up` what was deployed before once more" if _PORT.exists() else ""
        progress.note(f"Port {before} is taken: the emulator uses {port}{again}.")
    return port


def _set_aside_broken_state(progress: Progress) -> None:
    reason = _what_broke()
    if reason is None:
        return
    aside = LAB / f"emulator-broken-{time.strftime('%Y%m%d-%H%M%S')}"
    if STATE.exists():
        STATE.rename(aside)
    _RECORD.unlink(missing_ok=True)
    progress.note(f"{reason}: the lab starts from nothing. What was left of the state is in {aside}.")


def _what_broke() -> str | None:
    """Say why the state cannot be relied on.

    The emulator writes all of it when it is stopped, and only then, and removes its record when it has.
    """
    if _RECORD.exists():
        return "The emulator was killed instead of stopped (`lab down`), so its state is not whole"
    for file in (STATE / "state").glob("*.json*"):
        if file.suffix == ".tmp":
            return f"The emulator's state was being written when it was killed ({file.name})"
        try:
            json.loads(file.read_bytes())
        except ValueError:
            return f"The emulator's state is damaged ({file.name} is not JSON)"
    return None
