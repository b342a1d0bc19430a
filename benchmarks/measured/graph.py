"""Reads an order of 20 books, with quotes and sales, and prints how many milliseconds that takes: the median of ten.

``graph.py nested``: by one request of the graph; ``graph.py separate``: the order by one, and then each of its books by
another, as a client does that has no graph. Both get the same data, by the same client, over one connection.
"""

from __future__ import annotations

import sys
import time
import uuid
from statistics import median
from typing import TYPE_CHECKING

from lab.bookshop.client.input_types import CreateBookInput, OrderLineInput, PlaceOrderInput
from lab.bookshop.connection import connected
from lab.deployment import find
from lab.emulator import running
from lab.target import Local
from lab_stacks.catalog import section

if TYPE_CHECKING:
    from lab.bookshop.client import BookshopClient

BOOKS = 20
ROUNDS = 10
COUNTRY = "DE"


def main(way: str) -> float:
    emulator = running()
    assert emulator is not None, "the emulator does not run"
    deployed = find(section("appsync"), Local(emulator))
    with connected(deployed) as shop:
        ids = [shop.create_book(_book(number)).createBook.id for number in range(BOOKS)]
        lines = [OrderLineInput(bookId=book_id, quantity=1) for book_id in ids]
        order = PlaceOrderInput(name="Ada", email=f"{uuid.uuid4()}@example.com", lines=lines)
        order_id = shop.place_order(order).placeOrder.id
        read = {"nested": _nested, "separate": _separate}[way]
        assert read(shop, order_id, ids) == BOOKS, "not every book was read"  # and the functions are awake now
        taken = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            read(shop, order_id, ids)
            taken.append(1000 * (time.perf_counter() - started))
        return median(taken)


def _book(number: int) -> CreateBookInput:
    return CreateBookInput(title=f"Volume {number}", author="Jane Austen", genre="measured", cents=1200)


def _nested(shop: BookshopClient, order_id: str, _: list[str]) -> int:
    order = shop.order(order_id, COUNTRY).order
    return len([line for line in order.lines if line.book and line.book.quote and line.book.sales]) if order else 0


def _separate(shop: BookshopClient, order_id: str, ids: list[str]) -> int:
    order = shop.order_alone(order_id).order
    books = [shop.sold_book(book_id, COUNTRY).book for book_id in ids]
    return len([book for book in books if order and book and book.quote and book.sales])


if __name__ == "__main__":
    print(main(sys.argv[1]))
