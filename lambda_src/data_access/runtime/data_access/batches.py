"""Cuts parameter sets into batches that one request can hold."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from .values import parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .values import Parameter

#: Of the 4 MiB that a request may have, with room for its headers, the statement and the ARNs.
LARGEST_BATCH = 3_900_000
#: There is no limit; but what a batch does has to be done within 45 s.
MOST_SETS = 1000


def batches(rows: Iterable[Mapping[str, Any]], *, statement: str) -> Iterator[list[list[Parameter]]]:
    """Make batches of rows, each as large as it can be.

    :raises ValueError: naming a row that no request can hold.

    Source: https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_BatchExecuteStatement.html
    """
    room = LARGEST_BATCH - len(json.dumps(statement))
    batch: list[list[Parameter]] = []
    size = 0
    for number, row in enumerate(rows, start=1):
        made = parameters(row)
        length = len(json.dumps(made, default=_as_sent)) + 1
        if length > room:
            raise ValueError(f"Row {number} has {length:,} bytes, and a request with it at most {LARGEST_BATCH:,}")
        if batch and (len(batch) == MOST_SETS or size + length > room):
            yield batch
            batch, size = [], 0
        batch.append(made)
        size += length
    if batch:
        yield batch


def _as_sent(value: bytes) -> str:
    return base64.b64encode(value).decode()
