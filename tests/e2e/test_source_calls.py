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
from botocore.exceptions import ClientError

from lab.bookshop.client import BookshopClient
from lab.bookshop.client.input_types import CreateBookInput, OrderLineInput, PlaceOrderInput
from lab.bookshop.signing import SignedRequests
from lab_stacks.catalog import CatalogEntry, section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bookshop.client.base_client import HttpClient

    from .conftest import Emulated, Lab

BOOKS = 7
DYNAMODB, DATA_API = "dynamodb.amazonaws.com", "rdsdataapi.amazonaws.com"

Event = dict[str, Any]


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

        with _recorded(emulated) as without_books:
            shop.get_data(
                shop.execute("query q($id: ID!) { order(id: $id) { lines { cents } } }", "q", {"id": placed.id})
            )
        by_alias = "query q($id: ID!) { order(id: $id) { lines { b: book { t: title } } } }"
        titles = shop.get_data(shop.execute(by_alias, "q", {"id": placed.id}))["order"]["lines"]

        with _recorded(emulated) as at_once:
            order = shop.order(placed.id, "DE").order
            _read_another_table(emulated)  # as other sections do, at any time
        with _recorded(emulated) as one_by_one:
            for book_id in ids:
                assert shop.sold_book(book_id, "DE").book is not None

    assert order is not None
    assert sorted(line.book.id for line in order.lines if line.book) == sorted(ids)
    assert sorted(line["b"]["t"] for line in titles) == [f"Volume {number}" for number in range(BOOKS)]
    # What was sold of the books is one more statement, for all of them: a function's.
    sources = _outputs(emulated, entry, "TableName", "ClusterArn")
    assert _counted(without_books, sources) == {"ExecuteStatement": 1}
    assert _counted(at_once, sources) == {"BatchGetItem": 1, "ExecuteStatement": 2}
    [together] = _reads(at_once, sources, "BatchGetItem")
    assert all(table["ConsistentRead"] for table in together["RequestItems"].values())
    assert all(read["ConsistentRead"] for read in _reads(one_by_one, sources, "GetItem"))
    assert _counted(one_by_one, sources) == {"GetItem": BOOKS, "ExecuteStatement": BOOKS}


def test_an_event_of_the_data_api_names_the_cluster_and_the_secret_and_hides_what_was_asked(emulated: Emulated) -> None:
    data_api = emulated.client("rds-data")
    arns = {
        "resourceArn": "arn:aws:rds:us-east-1:000000000000:cluster:nobodys",
        "secretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:nobodys-AbCdEf",
    }
    values = [{"name": "id", "value": {"stringValue": "told to nobody"}}]
    with _recorded(emulated) as events, pytest.raises(ClientError):
        data_api.execute_statement(**arns, sql="SELECT 'a secret'", database="hidden", parameters=values)

    [event] = [one for one in events if arns["resourceArn"] in _named(one["requestParameters"])]
    assert (event["eventSource"], event["eventName"]) == (DATA_API, "ExecuteStatement")
    assert event["requestParameters"] == {**arns, "sql": "**********", "database": "**********"}


@contextmanager
def _shop(emulated: Emulated, entry: CatalogEntry) -> Iterator[BookshopClient]:
    [api_id] = _outputs(emulated, entry, "ApiId")
    url = emulated.client("appsync").get_graphql_api(apiId=api_id)["graphqlApi"]["uris"]["GRAPHQL"]
    with httpx.Client(auth=SignedRequests(emulated.session), timeout=35, trust_env=False) as http:
        yield BookshopClient(url=url, http_client=cast("HttpClient", http))


def _outputs(emulated: Emulated, entry: CatalogEntry, *keys: str) -> set[str]:
    [stack] = emulated.client("cloudformation").describe_stacks(StackName=entry.stack_id)["Stacks"]
    return {one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] in keys}


def _read_another_table(emulated: Emulated) -> None:
    dynamodb = emulated.client("dynamodb")
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.get_item(TableName="Elsewhere", Key={"id": {"S": "1"}})


def _book(number: int) -> CreateBookInput:
    return CreateBookInput(title=f"Volume {number}", author="Jane Austen", genre="counted", cents=1200)


@contextmanager
def _recorded(emulated: Emulated) -> Iterator[list[Event]]:
    """Collect what the emulator's CloudTrail records of DynamoDB and of the Data API in the block."""
    cloudtrail, recorded = emulated.client("cloudtrail"), list[Event]()
    before = {event["EventId"] for event in _events(cloudtrail)}
    _record(emulated, recorded=True)
    try:
        yield recorded
    finally:
        _record(emulated, recorded=False)
    recorded += [
        json.loads(event["CloudTrailEvent"])
        for event in _events(cloudtrail)
        if event["EventId"] not in before and event["EventSource"] in {DYNAMODB, DATA_API}
    ]


def _counted(events: list[Event], sources: set[str]) -> Counter[str]:
    """Count the calls of a table and of a cluster, and of no other, by their names."""
    return Counter(event["eventName"] for event in events if sources & _named(event["requestParameters"]))


def _reads(events: list[Event], sources: set[str], operation: str) -> list[Event]:
    reads = [one["requestParameters"] for one in events if one["eventName"] == operation]
    return [asked for asked in reads if sources & _named(asked)]


def _named(asked: dict[str, Any]) -> set[str | None]:
    return {asked.get("TableName"), asked.get("resourceArn"), *asked.get("RequestItems", {})}


def _events(cloudtrail: Any) -> list[Event]:
    pages = cloudtrail.get_paginator("lookup_events").paginate()
    return [event for page in pages for event in page["Events"]]


def _record(emulated: Emulated, *, recorded: bool) -> None:
    url = f"{emulated.settings['AWS_ENDPOINT_URL']}/_ministack/config"
    setting = {"cloudtrail._recording_enabled": json.dumps(recorded)}
    answer = httpx.post(url, json=setting, trust_env=False).json()
    assert answer["applied"] == {"cloudtrail._recording_enabled": recorded}, answer
