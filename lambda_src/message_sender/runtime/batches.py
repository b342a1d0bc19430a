"""Puts messages into batches that one SendMessageBatch request may carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bodies import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The most messages in one SendMessageBatch request.
MAX_ENTRIES = 10


def in_batches(bodies: Iterable[str], size: int = MAX_ENTRIES) -> Iterator[list[str]]:
    """Put ``bodies`` into batches of up to ``size``, in their order, each within what a request may carry.

    Only bodies count, as our messages have no attributes. A body is drawn no earlier than its batch needs it.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
    """
    batch: list[str] = []
    batch_bytes = 0
    for body in bodies:
        body_bytes = len(body.encode())
        if batch and batch_bytes + body_bytes > MAX_BYTES:
            yield batch
            batch, batch_bytes = [], 0
        batch.append(body)
        batch_bytes += body_bytes
        if len(batch) == size:
            yield batch
            batch, batch_bytes = [], 0
    if batch:
        yield batch
