"""The bookshop's functions answer each request of a batch, in its order."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from data_access import Database, DatabaseError

from lambda_src.bookshop.runtime import sales
from lambda_src.bookshop.runtime.quotes import handler, quote


def test_a_country_that_the_shop_does_not_deliver_to_is_named() -> None:
    assert quote(1000, "XX") == {"unknown": "XX"}


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("DE", {"net": 1000, "tax": 70, "shipping": 390, "total": 1460}),
        ("CH", {"net": 1000, "tax": 26, "shipping": 1290, "total": 2316}),
    ],
)
def test_a_quote_adds_up(country: str, expected: dict[str, Any]) -> None:
    assert quote(1000, country) == expected


def test_a_batch_is_answered_in_its_order() -> None:
    requests = [{"cents": 100, "country": "DE"}, {"cents": 100, "country": "XX"}, {"cents": 200, "country": "DE"}]

    answers = handler(requests, None)

    assert [answer.get("net", answer.get("unknown")) for answer in answers] == [100, "XX", 200]


class Cluster:
    """Answers every statement with the same error of the Data API, and counts them."""

    def __init__(self, code: str) -> None:
        self.code, self.asked = code, 0

    def execute_statement(self, **_: Any) -> dict[str, Any]:
        self.asked += 1
        raise ClientError({"Error": {"Code": self.code, "Message": "as it is"}}, "ExecuteStatement")


def sold(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    monkeypatch.setattr(sales, "_database", lambda: Database("cluster", "secret", "app", client=cluster, patience=1))
    return sales.handler(["1", "2"], None)


def test_a_database_that_wakes_up_too_slowly_is_an_answer_to_each_book(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster("DatabaseResumingException")

    assert sold(cluster, monkeypatch) == [{"waking": True}, {"waking": True}]
    assert cluster.asked > 1


def test_what_the_database_refuses_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatabaseError, match="as it is"):
        sold(Cluster("DatabaseErrorException"), monkeypatch)
