"""What ran in a database, and what has to run now."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data_access import Database
    from data_access.database import Transaction

#: Any number, as long as it is always the same: of PostgreSQL's lock for who changes the schema.
_LOCK = 150_806_001
_WAIT_SECONDS = 120
_PAUSE_SECONDS = 1.0
_HISTORY = """
CREATE TABLE IF NOT EXISTS migrations.applied (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """A migration cannot run; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Migration:
    """One numbered file, as the bundle holds it."""

    number: int
    name: str
    checksum: str
    statements: Sequence[str]


def migrate(database: Database, migrations: Sequence[Migration]) -> list[str]:
    """Run what has not run yet, each file in a transaction; return the names of those that ran.

    Nobody else changes the schema meanwhile: whoever tries waits. What runs again finds that nothing is to be done.

    :raises MigrationError: when a file was edited after it ran, or comes before one that ran.
    :raises DatabaseError: for what the database refuses; of that file nothing has happened.
    """
    with alone(database) as transaction:
        transaction.execute("CREATE SCHEMA IF NOT EXISTS migrations")
        transaction.execute(_HISTORY)
    ran = []
    for migration in migrations:
        with alone(database) as transaction:
            if _is_to_run(migration, transaction.query("SELECT number, name, checksum FROM migrations.applied")):
                _run(migration, transaction)
                ran.append(migration.name)
    return ran


@contextmanager
def alone(database: Database) -> Iterator[Transaction]:
    """Begin a transaction in which nobody else changes the schema.

    :raises MigrationError: when somebody else does for minutes.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        with database.transaction() as transaction:
            [row] = transaction.query("SELECT pg_try_advisory_xact_lock(:lock) AS got", {"lock": _LOCK})
            if row["got"]:
                yield transaction
                return
        if time.monotonic() > deadline:
            raise MigrationError(f"Somebody else has been changing the schema for {_WAIT_SECONDS} s: try again later")
        time.sleep(_PAUSE_SECONDS)


def _is_to_run(migration: Migration, applied: list[dict[str, Any]]) -> bool:
    newest = max(applied, key=lambda row: int(row["number"]), default=None)
    if newest is None or migration.number > newest["number"]:
        return True
    before = [row for row in applied if row["number"] == migration.number]
    if not before:
        raise MigrationError(f"{migration.name} comes before {newest['name']}, which ran: give it the next number")
    if before[0]["checksum"] != migration.checksum:
        raise MigrationError(
            f"{migration.name} was edited after it ran as {before[0]['name']}: put its old text back, and write the "
            "change into a new file"
        )
    return False


def _run(migration: Migration, transaction: Transaction) -> None:
    for statement in migration.statements:
        transaction.execute(statement)
    transaction.execute(
        "INSERT INTO migrations.applied (number, name, checksum) VALUES (:number, :name, :checksum)",
        {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
    )
