"""The emulator's process: MiniStack with our extensions, on a port of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lab import isolation, processes, xray_process
from lab.engine import service as engine_service
from lab.errors import LabError
from lab.project import ENVIRONMENTS, LAB, SCRIPTS, python_of

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE = LAB / "emulator"
LOG = LAB / "emulator.log"
# Written here at each start; the process removes it when it has written its state.
RECORD = LAB / "emulator.json"
_START_SECONDS = 60
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

    def wait_until_it_answers(self) -> None:
        """Wait for a process that has just been started.

        :raises LabError: when it ends instead, or takes too long; the message says why.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not (self.listens and self.answers):
            if self.process is None:
                last = LOG.read_text(errors="replace").strip().splitlines()[-1:]
                raise LabError(f"The emulator ended at its start: {''.join(last)} (all of it: {LOG})")
            if time.monotonic() > deadline:
                raise LabError(f"The emulator did not answer within {_START_SECONDS} s; its log is {LOG}.")
            time.sleep(0.05)

    def answers_at_last(self) -> bool:
        """Give a busy machine time: to end the emulator would take its users' work away."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers:
            if self.process is None or time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def end(self) -> None:
        """End it, if it runs, and whatever it started; it writes its state before."""
        process = self.process
        if process is not None:
            processes.end(process, seconds=_STOP_SECONDS, workers=process.children(recursive=True))


def recorded() -> Emulator | None:
    """Find the one that was started last, whether it runs or not."""
    try:
        return Emulator(**json.loads(RECORD.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def spawn(port: int, xray: Mapping[str, str]) -> Emulator:
    """Start the process, which takes a moment until it answers, and record it.

    :param xray: the settings by which functions find the X-Ray beside it.
    """
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
        "EMULATOR_RECORD": str(RECORD),
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
    emulator = Emulator(process.pid, psutil.Process(process.pid).create_time(), port)
    RECORD.write_text(json.dumps(asdict(emulator)))
    return emulator
