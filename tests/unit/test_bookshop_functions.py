"""The bookshop's functions answer each request of a batch, in its order."""

from __future__ import annotations

from typing import Any

import pytest

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
