"""Reads a folder of numbered SQL files, and finds what is wrong with them before anything is deployed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_src.statements import UnterminatedError, statements, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A list of checksums as `shasum -a 256 *.sql` prints it; what is in it may not change any more.
SEAL = "SHA256SUMS"
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_ENDS_TRANSACTION = {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"}
#: Statements that PostgreSQL runs in no transaction, by the words that they have.
_IN_NO_TRANSACTION = [
    re.compile(pattern)
    for pattern in (
        r"(create|drop|reindex)\b.* concurrently\b",
        r"(create|drop) (database|tablespace)\b",
        r"vacuum\b",
        r"alter system\b",
    )
]


@dataclass(frozen=True)
class Migration:
    """One file: its number, its name, what it was when it was read, and its statements."""

    number: int
    name: str
    checksum: str
    statements: list[str]


@dataclass(frozen=True)
class Folder:
    """What a folder holds, and what is wrong with it."""

    migrations: list[Migration]
    problems: list[str]


def read(folder: Path) -> Folder:
    """Read every migration of a folder, in the order of their numbers."""
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        return Folder([], [f"{folder} has no file such as 0001_create_tables.sql: write one"])
    problems, migrations = [*_misnamed(paths), *_broken_seal(folder)], []
    for path in paths:
        try:
            found = statements(path.read_text())
        except UnterminatedError as error:
            problems.append(f"{path.name}, {error}")
            continue
        problems += [f"{path.name}: {problem}" for problem in _unfit(found)]
        if named := _NAME.fullmatch(path.name):
            migrations.append(Migration(int(named[1]), path.name, checksum(path), found))
    return Folder(migrations, problems)


def checksum(path: Path) -> str:
    """Name what a file holds, whatever ends its lines."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _misnamed(paths: list[Path]) -> Iterator[str]:
    numbers: dict[int, str] = {}
    for path in paths:
        named = _NAME.fullmatch(path.name)
        if named is None:
            yield f"{path.name}: four digits, _, and lower case letters, digits and _, such as 0001_create_tables.sql"
        elif int(named[1]) in numbers:
            yield f"{path.name} has the number of {numbers[int(named[1])]}: give the newer one the next number"
        else:
            numbers[int(named[1])] = path.name
    for expected, number in enumerate(sorted(numbers), start=1):
        if number != expected:
            yield f"{numbers[number]} comes after {expected - 1:04}: there is no {expected:04}"
            return


def _broken_seal(folder: Path) -> Iterator[str]:
    seal = folder / SEAL
    for line in seal.read_text().splitlines() if seal.exists() else []:
        sealed, _, name = line.partition(" ")
        name = name.strip(" *")
        path = folder / name
        if not path.exists():
            yield f"{name} is in {SEAL} and gone: put it back, as a database that has run it will be compared with it"
        elif checksum(path) != sealed:
            yield (
                f"{name} is not what {SEAL} says, so it was edited after it ran: put its old text back, and write the "
                f"change into a new file. If it ran nowhere, seal it again: `shasum -a 256 *.sql > {SEAL}`"
            )


def _unfit(found: list[str]) -> Iterator[str]:
    if not found:
        yield "has no statement"
    for statement in found:
        words = " ".join(text.lower() for kind, text in tokens(statement) if kind == "word")
        if words.split(" ")[0] in _ENDS_TRANSACTION:
            yield f"`{words.split(' ')[0].upper()}`: each file runs in a transaction of its own already; leave it out"
        elif any(pattern.match(words) for pattern in _IN_NO_TRANSACTION):
            yield f"`{words.upper()[:40]}` runs in no transaction: use the form that does, or do it by hand"
