"""A lab of the tests' own: another state folder, so that whoever runs the tests keeps the emulator that they use."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab import emulator, ports
from lab.engine import discovery, scratch_base
from lab.engine.images import BASE_IMAGE
from lab.errors import LabError
from lab.postgresql import preparation as postgresql

ROOT = Path(__file__).resolve().parents[2]
LAB = Path(sys.executable).with_name("lab")

Lab = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Emulated:
    """An emulator that runs, and how it is reached."""

    settings: dict[str, str]

    @property
    def session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.settings["AWS_SECRET_ACCESS_KEY"],
            region_name=self.settings["AWS_REGION"],
        )

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.settings["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]


def run_script(
    script: str, *words: str | Path, python: str | Path = sys.executable, seconds: float = 300, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run Python of the project's in a process of its own."""
    done = subprocess.run(
        [python, "-c", script, *words],
        env={**os.environ, **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def start_emulator(lab_home: Path, *, seconds: float = 300) -> None:
    """Start the emulator as `lab up` does, if it does not run, and deploy nothing."""
    start = "from lab import emulator; from lab.views.terminal import Steps; emulator.start(Steps(None))"
    run_script(start, seconds=seconds, SERVERLESS_LAB_HOME=str(lab_home))


def started(lab: Lab, lab_home: Path) -> Emulated:
    """Start the emulator, if it does not run, and find how it is reached."""
    start_emulator(lab_home)
    return Emulated(json.loads(lab("env", "--json").stdout))


@pytest.fixture(scope="session")
def lab_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # A space in the path, as users have it.
    return tmp_path_factory.mktemp("lab home")


@pytest.fixture(scope="session", autouse=True)
def port_of_its_own() -> None:
    """Give the emulator of each process of tests a port that no other takes while it is stopped for a moment.

    It is below those that the system gives to whoever asks for any.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ.setdefault(emulator.CHOICE, str(ports.first_free([14_566 + 10 * worker])))


@pytest.fixture(scope="session")
def engine() -> discovery.Engine:
    """Find the container engine; what needs one is skipped where there is none."""
    found = discovery.found()
    if found is None:
        pytest.skip(f"no container engine answers: {discovery.INSTALL}")
    return found


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> None:
    """Undo what a shell does to what it runs in the background, and to all that that starts: they ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def base_made_here() -> None:
    """Make the base of images here, if that can be done, and pull no PostgreSQL, so that no test needs a registry."""
    os.environ.setdefault(postgresql.IMAGE, "none")
    with contextlib.suppress(LabError):
        os.environ.setdefault(BASE_IMAGE, scratch_base.build())


@pytest.fixture(scope="session")
def base(engine: discovery.Engine) -> str:  # noqa: ARG001 - which builds on it
    """Name the base of images that was made here."""
    if BASE_IMAGE not in os.environ:
        pytest.skip("there is no base for images: `apt install busybox-static`, or name one with " + BASE_IMAGE)
    return os.environ[BASE_IMAGE]


def containers_of(label: str, *options: str) -> str:
    """List the containers of a label that the engine has; nothing without one."""
    engine = discovery.found()
    command = [engine.name, "ps", *options, "--format", "{{.Names}}", "--filter", f"label={label}"] if engine else []
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout if command else ""


@pytest.fixture(scope="session")
def lab(lab_home: Path) -> Iterator[Lab]:
    """Run the `lab` command as a user would; whatever runs at the end is ended."""

    def run(*words: str, status: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [LAB, *words],
            env={**os.environ, "SERVERLESS_LAB_HOME": str(lab_home), **environ},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == status, f"lab {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    yield run
    run("reset", "--yes")
    assert containers_of(f"serverless-lab={lab_home}", "--all") == ""


@pytest.hookimpl(trylast=True)  # after what the file's own fixtures tidy up with the lab
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Begin with nothing where neither file nor section is the same: what a process had before is left to chance.

    And what nobody looks at any more, such as the health checks of containers, would slow the others.
    """
    run = getattr(item, "funcargs", {}).get("lab")
    if run and nextitem and item.path != nextitem.path and _group(item) != _group(nextitem):
        run("reset", "--yes")


def _group(item: pytest.Item) -> object:
    marker = item.get_closest_marker("xdist_group")
    return marker.args[0] if marker else None


@pytest.fixture(scope="session")
def without_engine(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Name what makes another lab, on a machine without a container engine."""
    # What has no containers now would not get them when there is an engine again, so the two are apart.
    environ = {
        "SERVERLESS_LAB_ENGINE": "none",
        "SERVERLESS_LAB_HOME": str(tmp_path_factory.mktemp("no engine")),
        emulator.CHOICE: str(int(os.environ[emulator.CHOICE]) + 1),
    }
    yield environ
    lab("reset", "--yes", **environ)


@pytest.fixture
def session(lab: Lab, lab_home: Path, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """Reach the emulator as the chapter's own script would after `eval "$(lab env)"`; it is started if need be."""
    emulated = started(lab, lab_home)
    for name, value in emulated.settings.items():
        monkeypatch.setenv(name, value)
    return emulated.session


@pytest.fixture(scope="module")
def emulated(lab: Lab, lab_home: Path) -> Emulated:
    """Reach the emulator, for all tests of a module; it is started if need be."""
    return started(lab, lab_home)
