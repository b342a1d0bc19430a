"""Reads an order: what a customer asks for, or why that is no order."""

from __future__ import annotations

import json
from dataclasses import dataclass

LONGEST_ITEM = 100
LARGEST_QUANTITY = 1000
#: What an order can ask to go wrong, so that traces of it can be looked at.
FAILURES = ("error", "throttle", "fault")


class InvalidOrderError(ValueError):
    """Says what is wrong with an order, and never quotes it."""


@dataclass(frozen=True)
class Order:
    """So many of an item; or what should go wrong."""

    item: str = ""
    quantity: int = 1
    fail: str | None = None


def read(body: str | None) -> Order:
    """Read a request's body.

    >>> read('{"item": "book", "quantity": 2}')
    Order(item='book', quantity=2, fail=None)

    :raises InvalidOrderError: naming what is wrong.
    """
    try:
        fields = json.loads(body or "")
    except (ValueError, RecursionError):
        raise InvalidOrderError("The body is not JSON.") from None
    if not isinstance(fields, dict):
        raise InvalidOrderError("The body is not an object.")
    match fields.get("fail"):
        case None:
            return Order(_item(fields.get("item")), _quantity(fields.get("quantity", 1)))
        case str(failure) if failure in FAILURES:
            return Order(fail=failure)
    raise InvalidOrderError(f"fail is none of {', '.join(FAILURES)}.")


def _item(value: object) -> str:
    if isinstance(value, str) and 1 <= len(value) <= LONGEST_ITEM and value.isprintable():
        return value
    raise InvalidOrderError(f"item is not a text of 1 to {LONGEST_ITEM} printable characters.")


def _quantity(value: object) -> int:
    # In JSON true is no number; in Python it is.
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_QUANTITY:
        return value
    raise InvalidOrderError(f"quantity is not a whole number from 1 to {LARGEST_QUANTITY}.")
