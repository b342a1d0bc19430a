"""Where it is measured: a temporary folder, and a lab of its own, so that whoever runs this keeps theirs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from lab.isolation import is_proxy, leads_away, quiet_cdk
from lab.project import CDK_CLI, ROOT, SCRIPTS, python_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

#: The section that is measured.
SECTION = "sqs-lambda"
HERE = Path(__file__).parent
#: An interpreter that has what AWS Lambda's Python runtime offers, and nothing else.
LAMBDA_PYTHON = str(python_of("lambda-runtime"))
# Seconds.
_LONGEST_RUN = 300
_LONGEST_END = 60


class MeasurementError(Exception):
    """Something could not be measured; the message says why."""


@contextmanager
def workbench() -> Iterator[Workbench]:
    """Make the folder; at the end, after Ctrl-C and SIGTERM too, remove it and end what was started."""
    # Whatever still writes to the folder then, when it was interrupted, is no reason to lose the figures.
    folder = TemporaryDirectory(prefix="serverless-lab-bench-", ignore_cleanup_errors=True)
    with folder, _handled(signal.default_int_handler, signal.SIGTERM):
        bench = Workbench(Path(folder.name))
        try:
            yield bench
        finally:
            # Another Ctrl-C must not leave the emulator behind.
            with _handled(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM):
                bench.clear()


@contextmanager
def _handled(
    handler: Callable[[int, FrameType | None], object] | signal.Handlers, *signals: signal.Signals
) -> Iterator[None]:
    previous = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


class Workbench:
    """What every comparison needs, made when the first one asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Where the `lab` of this run keeps its state.
        self.lab_home = folder / "lab"
        self._deployed: set[str] = set()
        caller = {name: value for name, value in os.environ.items() if is_proxy(name) or not leads_away(name)}
        # Bytecode is what a program has from its second start on.
        caller.pop("PYTHONDONTWRITEBYTECODE", None)
        #: The caller's environment, without what names an AWS account.
        self.environment = {**caller, **quiet_cdk(caller)}

    @cached_property
    def lab(self) -> DeployedLab:
        """Start an emulator, and deploy the section to it."""
        self.run_lab("up", SECTION)
        settings = json.loads(self.run_lab("env", "--json"))
        # A proxy would carry what is for the emulator away.
        here = {name: value for name, value in self.environment.items() if not is_proxy(name)}
        return DeployedLab(settings, {**here, **settings})

    @cached_property
    def bundle(self) -> Path:
        """Make the section's function as it goes to AWS Lambda: the handler beside the packages that it needs."""
        assembly = self.folder / "bundle"
        self.cdk("synth", "--quiet", "--context", f"section={SECTION}", "--output", str(assembly))
        [bundled] = [path for path in assembly.glob("asset.*") if (path / "runtime" / "handler.py").is_file()]
        return bundled

    def deploy(self, section: str) -> None:
        """Deploy another section to the emulator, once."""
        if section not in self._deployed:
            self.run_lab("up", section)
            self._deployed.add(section)

    def run_lab(self, *words: str) -> str:
        """Run the ``lab`` command, and return what it printed."""
        environment = {**self.environment, "SERVERLESS_LAB_HOME": str(self.lab_home)}
        return run(SCRIPTS / "lab", *words, environment=environment)

    def cdk(self, *words: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
        """Run the CDK CLI, and return what it printed."""
        return run(CDK_CLI, "--no-notices", *words, folder=folder, environment=environment or self.environment)

    def clear(self) -> None:
        """Stop the emulator, if one was started."""
        if self.lab_home.exists():
            self.run_lab("reset", "--yes")


@dataclass(frozen=True)
class DeployedLab:
    """The emulator with the section on it: what points at it, and the environment of a program that is to reach it."""

    settings: Mapping[str, str]
    environment: Mapping[str, str]

    def client(self, service: str) -> Any:
        """Make a client that reaches the emulator."""
        session = boto3.Session(
            aws_access_key_id=self.settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.settings["AWS_SECRET_ACCESS_KEY"],
            region_name=self.settings["AWS_REGION"],
        )
        endpoint = self.settings["AWS_ENDPOINT_URL"]
        return session.client(service, endpoint_url=endpoint, config=Config(proxies={}))  # type: ignore[call-overload]


def measured(
    script: str, *words: str, environment: Mapping[str, str], python: str = sys.executable, flags: Sequence[str] = ()
) -> float:
    """Run one of the scripts in ``measured/`` in an interpreter of its own, and return the figure that it prints."""
    return float(run(python, "-I", *flags, HERE / "measured" / script, *words, environment=environment))


def seconds(work: Callable[[], object]) -> float:
    """Measure how long ``work`` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(*words: str | Path, environment: Mapping[str, str], folder: Path = ROOT) -> str:
    """Run a program, and return what it printed.

    :raises MeasurementError: when it fails, with its own last words.
    """
    process = subprocess.Popen(
        words, cwd=folder, env=environment, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        printed, complaints = process.communicate(timeout=_LONGEST_RUN)
    except BaseException as error:
        process.send_signal(signal.SIGINT)  # `lab` and the CDK CLI end what they started themselves
        process.wait(_LONGEST_END)
        if isinstance(error, subprocess.TimeoutExpired):
            raise MeasurementError(f"`{Path(words[0]).name}` did not end within {_LONGEST_RUN} s") from None
        raise
    if process.returncode:
        last = "\n".join((complaints or printed).strip().splitlines()[-8:])
        raise MeasurementError(f"`{' '.join(Path(word).name for word in words)}` failed:\n{last}")
    return printed
