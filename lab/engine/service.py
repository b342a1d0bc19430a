"""Lends the engine to the emulator: where its API is, and Podman's API itself, which is started and ended here."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lab import processes
from lab.engine import discovery
from lab.errors import LabError
from lab.project import LAB

if TYPE_CHECKING:
    from lab.engine.discovery import Engine

FOLDER = LAB / "engine"
LOG = LAB / "engine.log"
#: What the emulator reads whenever it is about to run a container: which engine, and where.
RECORD = FOLDER / "engine.json"
#: The label of every container of this lab, and its value.
LABEL = f"serverless-lab={LAB}"
# Engines that were lent before, and may still have volumes of this lab.
_BEFORE = "engines-before.json"
_VOLUMES = ["volume", "ls", "--quiet", "--filter", f"label={LABEL}"]
_SOCKET = FOLDER / "podman.sock"
_REGISTRIES = FOLDER / "registries.conf"
_START_SECONDS = 30
_STOP_SECONDS = 10
# What the kernel permits for the path of a socket.
_LONGEST_SOCKET = 100


@dataclass(frozen=True)
class Lent:
    """An engine that the emulator may use, and the process that serves its API, if that is ours."""

    engine: Engine
    registry: str
    pid: int | None = None

    @property
    def process(self) -> psutil.Process | None:
        """The process, if it still runs; a process that merely has its number now is another one."""
        try:
            process = psutil.Process(self.pid) if self.pid else None
            return process if process and f"unix://{_SOCKET}" in process.cmdline() else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None

    @property
    def answers(self) -> bool:
        """Whether the API is there."""
        return self.pid is None or (self.process is not None and _SOCKET.exists())


def lent() -> Lent | None:
    """Find what was lent, whether it answers or not."""
    try:
        record = json.loads(RECORD.read_text())
        return Lent(discovery.Engine(**record["engine"]), record["registry"], record["pid"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def serving() -> Engine | None:
    """Find the engine that was lent, if its API is ours, still there, and of the kind that is asked for.

    That is quicker than to look for the engines of this machine.
    """
    before = lent()
    if before is None or before.process is None or not before.answers:
        return None
    return before.engine if os.environ.get(discovery.CHOICE, "") in {"", before.engine.name} else None


def lend(registry: str) -> Engine | None:
    """Lend the emulator the engine that there is, if there is one; whoever calls this sees to it that nobody else does.

    :param registry: host and port of the emulator's registry, which Podman has to reach without TLS.
    :raises LabError: when the engine's API cannot be started.
    """
    before = lent()
    engine = discovery.found()
    if before and not _is_same(before.engine, engine):
        take_back()
        _write_before([*_before(), before.engine])
        forget()
        before = None
    if engine is None:
        RECORD.unlink(missing_ok=True)
        return None
    FOLDER.mkdir(parents=True, exist_ok=True)
    if engine.name == "podman":
        _allow(registry)
        if before and before.engine.name == "podman" and before.answers:
            return before.engine
        if before:
            _end(before)
        now = _served(engine, registry)
    else:
        now = Lent(engine, registry)
    RECORD.write_text(json.dumps(asdict(now)))
    return now.engine


def take_back() -> None:
    """Remove the lab's containers, and end what was started; the record stays, and says that there was an engine."""
    before = lent()
    if before is None:
        return
    _remove_containers(before.engine)
    _end(before)


def remove_volumes() -> list[str]:
    """Remove the lab's volumes from every engine that was lent; return the commands for those that may be left.

    An engine that does not answer is asked again the next time.
    """
    now, before = lent(), _before()
    for engine in before:
        _remove_containers(engine)
    engines = dict.fromkeys([*before, *([now.engine] if now else [])])
    left = [engine for engine in engines if not _remove(engine, _VOLUMES, ["volume", "rm"])]
    _write_before(left)
    return list(dict.fromkeys(_removal(engine) for engine in left))


def _remove_containers(engine: Engine) -> None:
    # Podman refuses to remove a container whose network others use, as those of a task do, before them.
    for _ in range(2):
        _remove(engine, ["ps", "--all", "--quiet", "--filter", f"label={LABEL}"], ["rm", "--force", "--volumes"])


def _removal(engine: Engine) -> str:
    command = shlex.join([engine.name, *(["--host", engine.address] if engine.name == "docker" else [])])
    return f"{command} volume rm $({command} {shlex.join(_VOLUMES)})"


def _is_same(before: Engine, engine: Engine | None) -> bool:
    """Say whether both have the same volumes; Podman has no address before its API is served."""
    return bool(engine and engine.name == before.name and (engine.name == "podman" or engine.address == before.address))


def _before() -> list[Engine]:
    try:
        return [discovery.Engine(**one) for one in json.loads((FOLDER / _BEFORE).read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        return []


def _write_before(engines: list[Engine]) -> None:
    """Note engines, each once."""
    if engines:
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / _BEFORE).write_text(json.dumps([asdict(one) for one in dict.fromkeys(engines)]))
    else:
        (FOLDER / _BEFORE).unlink(missing_ok=True)


def forget() -> None:
    """Remove what the emulator's registry left with the engine, and do not know of any engine any more."""
    before = lent()
    if before:
        # By their names: the same image may have others, of somebody else's.
        named = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={before.registry}/*"]
        _remove(before.engine, named, ["rmi"])
    RECORD.unlink(missing_ok=True)


def _served(podman: Engine, registry: str) -> Lent:
    """Start Podman's API on a socket that only this user can open."""
    if len(str(_SOCKET)) > _LONGEST_SOCKET:
        raise LabError(
            f"Podman's API needs a socket, and {_SOCKET} is too long a path for one: name a shorter folder with "
            "SERVERLESS_LAB_HOME."
        )
    _SOCKET.unlink(missing_ok=True)
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            [shutil.which("podman") or "podman", "system", "service", "--time=0", f"unix://{_SOCKET}"],
            env={**os.environ, "CONTAINERS_REGISTRIES_CONF": str(_REGISTRIES)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C at the terminal is for `lab`.
        )
    deadline = time.monotonic() + _START_SECONDS
    try:
        while not _SOCKET.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"Podman's API did not start; its log is {LOG}.")
            time.sleep(0.02)
    except BaseException:  # Ctrl-C too: nobody would find it again
        process.kill()
        process.wait()
        raise
    address = f"unix://{_SOCKET}"
    return Lent(replace(podman, address=address), registry, process.pid)


def _allow(registry: str) -> None:
    """Have Podman take images from the emulator's registry over HTTP, beside all that its own settings say."""
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    for path in (own / "containers/registries.conf", Path("/etc/containers/registries.conf")):
        if path.exists():
            settings = path.read_text()
            break
    else:
        settings = ""
    _REGISTRIES.write_text(f'{settings}\n[[registry]]\nlocation = "{registry}"\ninsecure = true\n')


def _end(before: Lent) -> None:
    process = before.process
    if process is not None:
        processes.end(process, seconds=_STOP_SECONDS)
        _SOCKET.unlink(missing_ok=True)


def _remove(engine: Engine, listing: list[str], removal: list[str]) -> bool:
    """Remove what the engine lists, and say whether it did; one that is gone by now did not."""
    try:
        listed = subprocess.run(
            [engine.name, *listing], env=engine.environment,
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_START_SECONDS, check=True,
        ).stdout.split()  # fmt: skip
        if listed:
            subprocess.run(
                [engine.name, *removal, *dict.fromkeys(listed)], env=engine.environment,
                capture_output=True, stdin=subprocess.DEVNULL, timeout=2 * _START_SECONDS, check=True,
            )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return True
