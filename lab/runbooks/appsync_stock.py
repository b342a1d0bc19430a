"""What the runbook of AppSync fills the bookshop with, and takes out again: books, and a customer with orders."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from lab.bookshop.client.input_types import CreateBookInput
from lab.database import database
from lab.runbook import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bookshop.client import BookshopClient
    from lab.deployment import Deployment


def book(
    title: str, *, id: str | None = None, genre: str = "runbook", cents: int = 1200, cost: int | None = None
) -> CreateBookInput:
    """Describe a book that the shop does not have yet."""
    return CreateBookInput(id=id, title=title, author="Jane Austen", genre=genre, cents=cents, cost=cost)


@contextmanager
def one_book(shop: BookshopClient) -> Iterator[Any]:
    """Have a book in the shop inside the ``with`` block; it must be as it was at the end."""
    made = shop.create_book(book("Emma")).createBook
    try:
        yield made
    finally:
        shop.delete_book(made.id, made.version)


@contextmanager
def customer(deployed: Deployment) -> Iterator[str]:
    """Name a customer whom nobody knows, and forget the customer and the orders in the end."""
    email = f"runbook-{uuid.uuid4()}@example.com"
    try:
        yield email
    finally:
        orders = database(deployed, "ApplicationSecretArn")
        for statement in (
            "DELETE FROM purchase USING customer WHERE customer.id = customer_id AND email = :email",
            "DELETE FROM customer WHERE email = :email",
        ):
            orders.execute(statement, {"email": email})


@contextmanager
def stocked(deployed: Deployment, genre: str, count: int) -> Iterator[list[str]]:
    """Put books of a genre into the table, and take them out again; their ids are in the order of their titles."""
    table = deployed.target.session.resource("dynamodb").Table(deployed.output("TableName"))
    ids = [f"{genre}-{number:04}" for number in range(count)]
    try:
        with table.batch_writer() as batch:
            for number, book_id in enumerate(ids):
                batch.put_item(
                    {
                        "id": book_id,
                        "title": f"Volume {number:04}",
                        "author": "Jane Austen",
                        "genre": genre,
                        "cents": 1200,
                        "cost": 700,
                        "version": 1,
                        "changedAt": "2026-01-31T12:00:00.000Z",
                    }
                )
        # An index follows its table: on AWS mostly within a second, and without a promise.
        assert wait_for(lambda: _indexed(table, genre) == count), f"the index has not all {count} books of {genre}"
        yield ids
    finally:
        with table.batch_writer() as batch:
            for book_id in ids:
                batch.delete_item(Key={"id": book_id})


def _indexed(table: Any, genre: str) -> int:
    """Count a genre's books by the index that lists them."""
    pages = table.meta.client.get_paginator("query").paginate(
        TableName=table.name, IndexName="byGenre", KeyConditionExpression=Key("genre").eq(genre), Select="COUNT"
    )
    return sum(int(page["Count"]) for page in pages)
