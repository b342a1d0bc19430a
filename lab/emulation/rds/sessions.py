"""Connections to the servers: kept for the next call of the same user, or held by a transaction."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from pg8000.exceptions import DatabaseError, InterfaceError

from lab.emulation.rds.values import ParameterError, parameter
from lambda_src.statements import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pg8000.native import Connection

    from lab.emulation.rds.server import Server

#: AWS ends a statement after 45 s, a transaction that nobody uses after three minutes, and any after 24 hours.
STATEMENT_SECONDS = 45
_IDLE_TRANSACTION_SECONDS = 180
_TRANSACTION_SECONDS = 24 * 60 * 60
#: How much later PostgreSQL ends by itself a transaction that nobody asks for any more.
_GRACE_SECONDS = 5
#: How long a connection is kept: a password that is changed is refused at the latest then.
_KEPT_SECONDS = 5


@dataclass(frozen=True)
class Account:
    """Who connects, and where to."""

    server: Server
    user: str
    password: str = field(repr=False)
    database: str


@dataclass(frozen=True)
class Answer:
    """What came of a statement: its columns and rows, or how many rows it changed."""

    columns: list[dict[str, Any]]
    rows: list[list[str | None]]
    changed: int


class Session:
    """One connection."""

    def __init__(self, connection: Connection, account: Account) -> None:
        self._connection = connection
        self.account = account

    def run(self, sql: str, sets: list[list[dict[str, Any]]], *, seconds: int = STATEMENT_SECONDS) -> list[Answer]:
        """Run one statement once for every set of parameters.

        :param seconds: after which a run of it is ended; 0 for never.
        :raises ParameterError: when a set does not fit the statement.
        :raises DatabaseError: what the server answers.
        """
        self._connection.run(f"SET statement_timeout = {seconds * 1000}")
        prepared: dict[tuple[int, ...], Any] = {}
        answers = []
        for given in sets:
            statement, types, values = _positional(sql, given)
            if types not in prepared:
                prepared[types] = self._connection.prepare_statement(statement, types)
            name, columns, readers = prepared[types]
            done = self._connection.execute_named(name, values, columns, readers, statement)
            answers.append(Answer(columns or [], done.rows or [], 0 if columns else max(done.row_count, 0)))
        for name, _, _ in prepared.values():
            self._connection.close_prepared_statement(name)
        return answers

    def names_of(self, oids: set[int]) -> dict[int, str]:
        """Find the names of types."""
        found = self._connection.run("SELECT oid, typname FROM pg_type WHERE oid = ANY(:oids)", oids=sorted(oids))
        return {int(oid): name for oid, name in found}

    def command(self, sql: str) -> None:
        """Run a command of the Data API's own."""
        self._connection.run(sql)

    def close(self) -> None:
        """Close the connection, which may be broken."""
        with suppress(InterfaceError, OSError):
            self._connection.close()


def _positional(sql: str, given: list[dict[str, Any]]) -> tuple[str, tuple[int, ...], tuple[str | None, ...]]:
    """Give PostgreSQL numbers for the names of parameters."""
    by_name = {one.get("name", ""): parameter(one) for one in given}
    places: dict[str, int] = {}
    pieces = []
    for kind, text in tokens(sql):
        name = text[1:]
        if kind != "parameter":
            pieces.append(text)
            continue
        if name not in by_name:
            raise ParameterError(f"Cannot find parameter: {name}")
        pieces.append(f"${places.setdefault(name, len(places) + 1)}")
    used = [by_name[name] for name in places]
    return "".join(pieces), tuple(oid for oid, _ in used), tuple(value for _, value in used)


@dataclass
class Transaction:
    """A session that statements of several calls share, one at a time, until nobody has used it for too long."""

    session: Session
    resource_arn: str
    clock: Callable[[], float]
    lock: Lock = field(default_factory=Lock)
    begun: float = field(init=False)
    used: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin now."""
        self.begun = self.used = self.clock()

    @property
    def is_over(self) -> bool:
        """Whether its time has run out; while a call uses it, none does."""
        now = self.clock()
        idle = not self.lock.locked() and now - self.used > _IDLE_TRANSACTION_SECONDS
        return idle or now - self.begun > _TRANSACTION_SECONDS

    @contextmanager
    def alone(self) -> Iterator[Session]:
        """Use its session while no other call does."""
        with self.lock:
            try:
                yield self.session
            finally:
                self.used = self.clock()


class Sessions:
    """All connections of this process.

    :param clock: by which transactions are over, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[Account, deque[tuple[float, Session]]] = defaultdict(deque)
        self._transactions: dict[str, Transaction] = {}

    @contextmanager
    def borrowed(self, account: Account) -> Iterator[Session]:
        """Use a connection that commits each statement, and keep it for the next call."""
        session = self._take(account)
        try:
            yield session
        except DatabaseError:
            self._keep(session)
            raise
        except BaseException:
            session.close()
            raise
        self._keep(session)

    def begin(self, account: Account, resource_arn: str) -> str:
        """Begin a transaction, and return its identifier."""
        session = Session(account.server.connect(account.user, account.password, account.database), account)
        seconds = _IDLE_TRANSACTION_SECONDS + _GRACE_SECONDS
        session.command(f"SET idle_in_transaction_session_timeout = '{seconds}s'")
        session.command("BEGIN")
        identifier = str(uuid.uuid4())
        with self._lock:
            self._transactions[identifier] = Transaction(session, resource_arn, self._clock)
        return identifier

    def transaction(self, identifier: str, resource_arn: str) -> Transaction | None:
        """Find a transaction of this cluster; one whose time has run out is rolled back, and there no more."""
        with self._lock:
            found = self._transactions.get(identifier)
            if found is None or found.resource_arn != resource_arn:
                return None
            if not found.is_over:
                return found
            del self._transactions[identifier]
        found.session.close()
        return None

    def end(self, identifier: str, command: str) -> None:
        """Commit a transaction, or roll it back, and forget it."""
        with self._lock:
            ended = self._transactions.pop(identifier)
        with ended.alone() as session:
            try:
                session.command(command)
            finally:
                session.close()

    def forget(self, server: Server) -> None:
        """Close what leads to a server that is about to go."""
        with self._lock:
            for account in [one for one in self._kept if one.server is server]:
                for _, session in self._kept.pop(account):
                    session.close()
            for identifier, one in list(self._transactions.items()):
                if one.session.account.server is server:
                    self._transactions.pop(identifier).session.close()

    def _take(self, account: Account) -> Session:
        while True:
            with self._lock:
                since, session = self._kept[account].pop() if self._kept[account] else (0.0, None)
            if session is None:
                return Session(account.server.connect(account.user, account.password, account.database), account)
            if time.monotonic() - since < _KEPT_SECONDS:
                return session
            session.close()

    def _keep(self, session: Session) -> None:
        try:
            session.command("ROLLBACK")
            session.command("DISCARD ALL")
        except (DatabaseError, InterfaceError, OSError):
            session.close()
            return
        with self._lock:
            self._kept[session.account].append((time.monotonic(), session))
