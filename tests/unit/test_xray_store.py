"""The store keeps what it is given, finds traces by time, and forgets what is too old or too much."""

from __future__ import annotations

import json
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lab.xray import documents, store
from lab.xray.store import Position, Store, TimeRange

from .xray_documents import START, TRACE_ID, apart, segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "traces.sqlite")
    yield opened
    opened.close()


def put(into: Store, *sent: dict[str, Any]) -> None:
    into.add([one for document in sent for one in documents.parse(json.dumps(document))])


def trace_ids(count: int) -> list[str]:
    return [f"1-5759e988-{number:024x}" for number in range(count)]


def test_documents_are_there_after_another_start(tmp_path: Path) -> None:
    first = Store(tmp_path / "traces.sqlite")
    put(first, segment(1), apart(2, 1))
    first.close()
    [trace] = Store(tmp_path / "traces.sqlite").traces([TRACE_ID])
    assert [json.loads(text)["id"] for text in trace.texts] == [f"{1:016x}", f"{2:016x}"]


def test_documents_are_there_after_a_kill(tmp_path: Path) -> None:
    put(Store(tmp_path / "traces.sqlite"), segment(1))  # and never closed
    assert Store(tmp_path / "traces.sqlite").count() == 1


def test_a_trace_that_is_not_there_is_left_out(kept: Store) -> None:
    put(kept, segment(1))
    assert [trace.id for trace in kept.traces([*trace_ids(1), TRACE_ID])] == [TRACE_ID]


@pytest.mark.parametrize(
    ("within", "start", "end", "found"),
    [
        (TimeRange.TRACE_ID, 0, 1, True),
        (TimeRange.TRACE_ID, -1, 0, False),
        (TimeRange.TRACE_ID, 1, 99, False),
        (TimeRange.EVENT, 30, 40, True),
        (TimeRange.EVENT, -9, 0, False),
        (TimeRange.EVENT, 61, 99, False),
        (TimeRange.SERVICE, 60, 61, True),
        (TimeRange.SERVICE, 30, 40, False),
    ],
)
def test_a_trace_is_found_by_its_start_its_activity_or_an_end(
    kept: Store, within: TimeRange, start: float, end: float, found: bool
) -> None:
    put(kept, segment(1, 0, 5), apart(2, 1, 50, 60))
    assert bool(kept.traces_within(within, START + start, START + end)) is found


def test_a_trace_starts_with_its_earliest_document_whichever_came_first(kept: Store) -> None:
    put(kept, apart(2, 1, 5, 6))
    put(kept, segment(1, 0, 9))
    assert kept.traces_within(TimeRange.TRACE_ID, START, START + 1) == [Position(START, TRACE_ID)]


def test_pages_go_on_where_the_last_one_ended(kept: Store) -> None:
    # Several of them start at the same moment.
    put(kept, *(segment(1, number // 3, 9, trace_id=one) for number, one in enumerate(trace_ids(10))))
    whole = kept.traces_within(TimeRange.TRACE_ID, START, START + 99)
    pages: list[Position] = []
    while page := kept.traces_within(
        TimeRange.TRACE_ID, START, START + 99, before=pages[-1] if pages else None, limit=4
    ):
        pages += page
    assert pages == whole
    assert [position.start_time for position in whole] == sorted((START + n // 3 for n in range(10)), reverse=True)


def test_a_trace_above_the_limit_is_handed_out_in_part(kept: Store) -> None:
    put(kept, *(apart(number, 1, metadata={"a": "x" * 60_000}) for number in range(2, 20)))
    [trace] = kept.traces([TRACE_ID])
    assert trace.limit_exceeded
    assert sum(map(len, trace.texts)) <= store.LARGEST_TRACE


def test_traces_are_forgotten_after_thirty_days(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = trace_ids(2)
    put(kept, segment(1, trace_id=old))
    monkeypatch.setattr(store, "KEPT", -1)  # as if a second more than that had passed
    kept.tidy()
    monkeypatch.undo()
    put(kept, segment(1, trace_id=new))
    kept.tidy()
    assert [trace.id for trace in kept.traces([old, new])] == [new]


def test_the_oldest_traces_make_room_for_the_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_BETWEEN_TIDYING", 5)
    small = Store(tmp_path / "traces.sqlite", largest=3_000_000)
    ids = trace_ids(200)
    for one in ids:
        put(small, segment(1, trace_id=one, metadata={"a": "x" * 50_000}))
    left = [trace.id for trace in small.traces(ids)]
    assert left == ids[-len(left) :]
    assert 20 < len(left) < 80
    small.close()
    assert (tmp_path / "traces.sqlite").stat().st_size < 4_000_000


def test_threads_write_and_read_at_once(kept: Store) -> None:
    def write(number: int) -> None:
        for one in range(20):
            put(kept, segment(number * 100 + one))
            list(kept.traces([TRACE_ID]))

    threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.count() == 160


def test_resources_are_kept_by_kind_and_name(kept: Store) -> None:
    kept.put_resource("group", "a", {"x": 1})
    kept.put_resource("group", "a", {"x": 2})
    kept.put_resource("tags", "a", {})
    kept.remove_resource("tags", "a")
    assert (kept.resources("group"), kept.resources("tags")) == ({"a": {"x": 2}}, {})


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "traces.sqlite").write_text("something else " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        Store(tmp_path / "traces.sqlite")
