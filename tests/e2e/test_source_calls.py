"""One query of the graph asks each of its sources once, however many books it is about: the calls are counted.

The invocations of functions are counted by the runbook, as their logs are on AWS too.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from lab.bookshop.client import BookshopClient
from lab.bookshop.client.input_types import CreateBookInput, OrderLineInput, PlaceOrderInput
from lab.bookshop.connection import SignedRequests
from lab_stacks.catalog import CatalogEntry, section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bookshop.client.base_client import HttpClient

    from .conftest import Emulated, Lab

BOOKS = 7
SOURCES = ("dynamodb.amazonaws.com", "rdsdata.amazonaws.com")


# Of the catalog's entry, so that it runs in the process that has the section deployed.
@pytest.mark.parametrize("entry", [section("appsync")], ids=lambda entry: entry.id)
def test_an_order_reads_its_books_at_once(lab: Lab, emulated: Emulated, entry: CatalogEntry) -> None:
    if json.loads(lab("status", "--json").stdout)["sections"][entry.id] == "not deployed":
        lab("up", entry.id)
    with _shop(emulated, entry) as shop:
        ids = [shop.create_book(_book(number)).createBook.id for number in range(BOOKS)]
        lines = [OrderLineInput(bookId=book_id, quantity=1) for book_id in ids]
        placing = PlaceOrderInput(name="Ada", email=f"calls-{time.time()}@example.com", lines=lines)
        placed = shop.place_order(placing).placeOrder
        shop.order(placed.id, "DE")  # wakes the functions

        with _counted(emulated) as at_once:
            order = shop.order(placed.id, "DE").order
        with _counted(emulated) as one_by_one:
            for book_id in ids:
                assert shop.sold_book(book_id, "DE").book is not None

    assert order is not None
    assert sorted(line.book.id for line in order.lines if line.book) == sorted(ids)
    # What was sold of the books is one more statement, for all of them: a function's.
    assert at_once == {"BatchGetItem": 1, "ExecuteStatement": 2}
    assert one_by_one == {"GetItem": BOOKS, "ExecuteStatement": BOOKS}


@contextmanager
def _shop(emulated: Emulated, entry: CatalogEntry) -> Iterator[BookshopClient]:
    [stack] = emulated.client("cloudformation").describe_stacks(StackName=entry.stack_id)["Stacks"]
    [api_id] = [one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "ApiId"]
    url = emulated.client("appsync").get_graphql_api(apiId=api_id)["graphqlApi"]["uris"]["GRAPHQL"]
    with httpx.Client(auth=SignedRequests(emulated.session), timeout=35, trust_env=False) as http:
        yield BookshopClient(url=url, http_client=cast("HttpClient", http))


def _book(number: int) -> CreateBookInput:
    return CreateBookInput(title=f"Volume {number}", author="Jane Austen", genre="counted", cents=1200)


@contextmanager
def _counted(emulated: Emulated) -> Iterator[Counter[str]]:
    """Count the calls of DynamoDB and of the Data API in the block, by the emulator's CloudTrail."""
    cloudtrail, calls = emulated.client("cloudtrail"), Counter[str]()
    before = {event["EventId"] for event in _events(cloudtrail)}
    _record(emulated, recorded=True)
    try:
        yield calls
    finally:
        _record(emulated, recorded=False)
    calls.update(
        event["EventName"]
        for event in _events(cloudtrail)
        if event["EventId"] not in before and event["EventSource"] in SOURCES
    )


def _events(cloudtrail: Any) -> list[dict[str, Any]]:
    pages = cloudtrail.get_paginator("lookup_events").paginate()
    return [event for page in pages for event in page["Events"]]


def _record(emulated: Emulated, *, recorded: bool) -> None:
    url = f"{emulated.settings['AWS_ENDPOINT_URL']}/_ministack/config"
    setting = {"cloudtrail._recording_enabled": json.dumps(recorded)}
    answer = httpx.post(url, json=setting, trust_env=False).json()
    assert answer["applied"] == {"cloudtrail._recording_enabled": recorded}, answer
