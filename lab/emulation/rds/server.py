"""A PostgreSQL server of one cluster: started when it is first used, with the cluster's master user and database."""

from __future__ import annotations

import secrets
import shutil
import time
from threading import RLock
from typing import TYPE_CHECKING, Any

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, identifier, literal

from lab.emulation.rds.program import SUPERUSER, NoServerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.emulation.rds.program import Program

_START_SECONDS = 60


class Server:
    """The server of one cluster. It is started when it is first used, and ends with the emulator.

    :param folder: of the cluster.
    :param choose: what runs it, asked at each start: a cluster that never had a server can get another program.
    """

    def __init__(self, folder: Path, choose: Callable[[], Program]) -> None:
        self._folder = folder
        self._choose = choose
        self._program = choose()
        self._lock = RLock()
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
            with self._connect(SUPERUSER, self._password.read_text(), "postgres") as admin:
                _settle(admin, master, password, database)
            self._master = (master, password)

    def stop(self) -> None:
        """End the server, if it runs, so that it finds all its data again."""
        with self._lock:
            self._program.stop()
            self._master = None

    def remove(self) -> None:
        """End the server, and forget its data."""
        with self._lock:
            self.stop()
            self._choose().remove()
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _password(self) -> Path:
        """The superuser's, made when it is first needed."""
        file = self._folder / "password"
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24))
        return file

    def _ensure_started(self) -> None:
        with self._lock:
            if self._program.runs:
                return
            self._program.stop()
            self._program = self._choose()
            self._port = self._program.start(self._password)
            try:
                self._wait_until_it_answers()
                self._program.keep()
            except BaseException:  # or it would be used without having been kept
                self._program.stop()
                raise

    def _connect(self, user: str, password: str, database: str) -> Connection:
        connection = Connection(user, "127.0.0.1", database, self._port, password)
        # Every value as PostgreSQL writes it.
        for oid in list(connection.pg_types):
            connection.register_in_adapter(oid, str)
        return connection

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._connect(SUPERUSER, self._password.read_text(), "postgres").close()
                return
            except (InterfaceError, DatabaseError, OSError):
                if not self._program.runs or time.monotonic() > deadline:
                    said = f"{self._program.said} (the cluster's folder: {self._folder})"
                    raise NoServerError(f"PostgreSQL does not start: {said}") from None
                time.sleep(0.02)


def _settle(admin: Connection, master: str, password: str, database: str) -> None:
    known = {name for [name] in admin.run("SELECT rolname FROM pg_roles")}
    if "rds_superuser" not in known:
        admin.run("CREATE ROLE rds_iam; CREATE ROLE rds_superuser")
        admin.run("GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION")
    # As on AWS: the master decides who logs in with a token. Always, as there are servers of an earlier emulator.
    admin.run("GRANT rds_iam TO rds_superuser WITH ADMIN OPTION")
    if master not in known:
        # As on AWS: the master may do much, and is no superuser.
        admin.run(f"CREATE ROLE {identifier(master)} LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser")
        admin.run(f"ALTER DATABASE postgres OWNER TO {identifier(master)}")
    admin.run(f"ALTER ROLE {identifier(master)} PASSWORD {literal(password)}")
    made: list[list[Any]] = admin.run("SELECT 1 FROM pg_database WHERE datname = :name", name=database)
    if not made:
        admin.run(f"CREATE DATABASE {identifier(database)} OWNER {identifier(master)}")
