"""Adds up what was sold of many books at once: one invocation of a list, and in it one query."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

from data_access import Database, UnavailableError
from tracing import tracer

# Seconds in which a cluster that was paused has to resume: AppSync waits for 30.
_PATIENCE = 20.0
_SOLD = """
SELECT book_id, CAST(sum(quantity) AS bigint) AS copies, CAST(sum(quantity * cents) AS bigint) AS cents
FROM purchase_line
WHERE book_id IN (SELECT jsonb_array_elements_text(CAST(:books AS jsonb)))
GROUP BY book_id
"""


@tracer.handler
def handler(event: list[str], context: object) -> list[dict[str, Any]]:  # noqa: ARG001 - Lambda's signature
    """Answer for each book, in the order in which they came; that the database wakes up is an answer too."""
    # One line an invocation, so that the logs say how many there were.
    print(f"added up {len(event)}")
    try:
        rows = _database().query(_SOLD, {"books": json.dumps(event)})
    except UnavailableError:
        return [{"waking": True} for _ in event]
    sold = {row.pop("book_id"): row for row in rows}
    return [sold.get(book, {"copies": 0, "cents": 0}) for book in event]


@cache
def _database() -> Database:
    names = ("CLUSTER_ARN", "SECRET_ARN", "DATABASE_NAME")
    return Database(*(os.environ[name] for name in names), patience=_PATIENCE)
