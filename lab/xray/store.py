"""Keeps segment documents, groups and sampling rules in one SQLite file.

Documents are appended as they came, and never changed: what a trace is, its assembly decides when somebody asks. So a
document costs no more than its insertion, however often and in whatever order its trace is written to.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lab.xray.documents import Document

#: Seconds that X-Ray keeps a trace.
KEPT = 30 * 24 * 3600
#: Bytes of the file. Above it, the oldest traces go.
LARGEST = 512 * 1024 * 1024
# Documents and seconds between two looks at what is too old or too much.
_BETWEEN_TIDYING = 50_000
_SECONDS_BETWEEN_TIDYING = 600
#: Bytes of a trace that are handed out; X-Ray has the same limit.
LARGEST_TRACE = 500_000

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS documents (trace_id TEXT NOT NULL, text TEXT NOT NULL, end_time REAL NOT NULL);
    CREATE INDEX IF NOT EXISTS documents_of_trace ON documents (trace_id);
    CREATE TABLE IF NOT EXISTS traces (
        id TEXT PRIMARY KEY, start_time REAL NOT NULL, last REAL NOT NULL, received REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS traces_by_start ON traces (start_time, id);
    CREATE INDEX IF NOT EXISTS traces_by_reception ON traces (received);
    CREATE TABLE IF NOT EXISTS resources (
        kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name)
    ) WITHOUT ROWID;
"""


class TimeRange(str, Enum):
    """What of a trace has to lie in a range of time, as GetTraceSummaries names it."""

    TRACE_ID = "TraceId"
    EVENT = "Event"
    SERVICE = "Service"


_WITHIN = {
    TimeRange.TRACE_ID: "start_time >= :start AND start_time < :end",
    TimeRange.EVENT: "start_time < :end AND last >= :start",
    TimeRange.SERVICE: "start_time < :end AND last >= :start AND EXISTS (SELECT 1 FROM documents "
    "WHERE trace_id = traces.id AND end_time >= :start AND end_time < :end)",
}


class Position(NamedTuple):
    """Where a trace stands among all."""

    start_time: float
    id: str


class StoredTrace(NamedTuple):
    """The documents of a trace, as many as are handed out."""

    id: str
    texts: list[str]
    limit_exceeded: bool


class Store:
    """The file. One connection writes, whichever thread asks for it; every reader has its own."""

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._largest = largest
        self._writing = threading.Lock()
        self._writer = self._connection()
        # What a killed process had committed is there; a machine that loses its power may lose the last seconds.
        self._writer.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")
        self.tidy()

    def close(self) -> None:
        """Write everything into the one file."""
        with self._writing:
            self._writer.close()

    def add(self, documents: Sequence[Document]) -> None:
        """Keep documents."""
        now = time.time()
        spans: dict[str, tuple[str, float, float, float]] = {}
        for trace_id, _, start, last, _ in documents:
            known = spans.get(trace_id)
            if known is None:
                spans[trace_id] = trace_id, start, last, now
            else:
                spans[trace_id] = trace_id, min(known[1], start), max(known[2], last), now
        with self._transaction() as writer:
            writer.executemany(
                "INSERT INTO documents VALUES (?, ?, ?)",
                [(trace_id, text, last) for trace_id, _, _, last, text in documents],
            )
            writer.executemany(
                "INSERT INTO traces VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET start_time = min(start_time, excluded.start_time), last = max(last, excluded.last)",
                spans.values(),
            )
        self._added += len(documents)
        if self._added > _BETWEEN_TIDYING or now - self._tidied > _SECONDS_BETWEEN_TIDYING:
            self.tidy()

    def traces_within(
        self, within: TimeRange, start: float, end: float, *, before: Position | None = None, limit: int = -1
    ) -> list[Position]:
        """Find the traces of a range of time, newest first, from ``before`` on."""
        earlier = "AND (start_time, id) < (:before, :id)" if before else ""
        query = f"SELECT start_time, id FROM traces WHERE {_WITHIN[within]} {earlier} "  # noqa: S608 - ours
        values: dict[str, float | str] = {"start": start, "end": end, "limit": limit}
        if before:
            values |= {"before": before.start_time, "id": before.id}
        with self._reading() as reader:
            rows = reader.execute(f"{query} ORDER BY start_time DESC, id DESC LIMIT :limit", values)
            return [Position(*row) for row in rows]

    def traces(self, ids: Iterable[str]) -> Iterator[StoredTrace]:
        """Read traces; those that are not here are left out."""
        with self._reading() as reader:
            for trace_id in ids:
                texts, size, exceeded = [], 0, False
                for (text,) in reader.execute(
                    "SELECT text FROM documents WHERE trace_id = ? ORDER BY rowid", [trace_id]
                ):
                    size += len(text)
                    exceeded = size > LARGEST_TRACE
                    if exceeded:
                        break
                    texts.append(text)
                if texts:
                    yield StoredTrace(trace_id, texts, exceeded)

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Read all resources of a kind, such as groups, by their name."""
        with self._reading() as reader:
            rows = reader.execute("SELECT name, body FROM resources WHERE kind = ? ORDER BY name", [kind])
            return {name: json.loads(body) for name, body in rows}

    def put_resource(self, kind: str, name: str, body: Mapping[str, Any]) -> None:
        """Keep a resource."""
        with self._transaction() as writer:
            writer.execute("INSERT OR REPLACE INTO resources VALUES (?, ?, ?)", [kind, name, json.dumps(body)])

    def remove_resource(self, kind: str, name: str) -> None:
        """Forget a resource."""
        with self._transaction() as writer:
            writer.execute("DELETE FROM resources WHERE kind = ? AND name = ?", [kind, name])

    def count(self) -> int:
        """Count the documents."""
        with self._reading() as reader:
            return int(reader.execute("SELECT count(*) FROM documents").fetchone()[0])

    def tidy(self) -> None:
        """Forget traces that are too old, and the oldest of what is too much."""
        self._added, self._tidied = 0, time.time()
        self._forget("received < ?", [self._tidied - KEPT])
        tenth = "id IN (SELECT id FROM traces ORDER BY received, id LIMIT (SELECT count(*) / 10 + 1 FROM traces))"
        while self._size() > self._largest and self._forget(tenth):
            pass

    def _forget(self, which: str, values: Sequence[float] = ()) -> int:
        with self._transaction() as writer:
            writer.execute(
                f"DELETE FROM documents WHERE trace_id IN (SELECT id FROM traces WHERE {which})",  # noqa: S608 - ours
                values,
            )
            return writer.execute(f"DELETE FROM traces WHERE {which}", values).rowcount  # noqa: S608

    def _size(self) -> int:
        """Count the bytes in use; what was deleted leaves room in the file for what comes."""
        with self._reading() as reader:
            pages, free, size = (
                int(reader.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
            return (pages - free) * size

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing, self._writer:
            yield self._writer

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connection()) as reader:
            yield reader

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30, check_same_thread=False)
