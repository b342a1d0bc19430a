"""The runbook's books are there for whoever lists them, though an index follows its table."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.runbooks import appsync_stock as stock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.deployment import Deployment


class Table:
    """A table whose index has what was put into it only after it was asked some times; or never."""

    name = "Book"

    def __init__(self, late: int) -> None:
        self.late = late
        self.items: dict[str, str] = {}
        self.asked = 0

    @property
    def meta(self) -> Any:
        return self

    client = target = session = meta

    def resource(self, _: str) -> Any:
        return self

    def Table(self, _: str) -> Table:  # noqa: N802 - boto3's name
        return self

    def output(self, key: str) -> str:
        return key

    @contextmanager
    def batch_writer(self) -> Iterator[Table]:
        yield self

    def put_item(self, item: dict[str, Any]) -> None:
        self.items[item["id"]] = item["genre"]

    def delete_item(self, Key: dict[str, str]) -> None:  # noqa: N803 - boto3's name
        del self.items[Key["id"]]

    def get_paginator(self, _: str) -> Table:
        return self

    def paginate(self, *, IndexName: str, **_: Any) -> list[dict[str, int]]:  # noqa: N803 - boto3's name
        assert IndexName == "byGenre"
        self.asked += 1
        count = len(self.items)
        return [{"Count": count // 2}, {"Count": count - count // 2 if self.asked > self.late else 0}]


def stocked(table: Table) -> Any:
    return stock.stocked(cast("Deployment", table), "novel", 5)


def test_the_books_are_there_when_the_index_has_all_of_them() -> None:
    table = Table(late=3)
    with stocked(table) as ids:
        assert len(ids) == len(table.items) == 5
        assert table.asked == 4
    assert table.items == {}


def test_an_index_that_never_has_them_is_said_and_the_books_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "wait_for", lambda holds: holds())
    table = Table(late=3)
    with pytest.raises(AssertionError, match="the index has not all 5 books of novel"), stocked(table):
        pass
    assert table.items == {}
