"""Stores every message of an Amazon SQS queue as an item of an Amazon DynamoDB table.

Guaranteed:

- A message is acknowledged only when DynamoDB has confirmed its item. All others are reported as failed, so that
  SQS delivers them again, and after too many attempts moves them to the dead-letter queue.
- There is exactly one item for each MessageId, although SQS delivers a message at least once. ``MessageId`` is the
  table's key, and the item holds nothing but the message's own id, body and ``SentTimestamp``: to store a message
  again is to write the identical item, which needs no look-up, no condition and no memory of earlier deliveries.
- A bad record fails alone: it never reaches DynamoDB, and the rest of its batch is stored.
- Of a FIFO queue's message group no message is acknowledged while an earlier one of the same batch is not, and none
  is written after a bad record. The dead-letter queue ends that: it takes the earlier message out of the order.

Not guaranteed:

- One item for each text. A body that is sent twice is two messages. So is a message that a redrive moves back from
  the dead-letter queue, with a new MessageId: if it had been stored without a confirmation, it is stored again.
- The order of writing. BatchWriteItem writes a batch in parallel, so a later item may be in the table, for a moment
  or until the next delivery, before an earlier one of its group.
- That an item stays deleted or changed: a delivery that comes later writes the message's own values again.

An invocation ends in an error, which makes Lambda deliver the whole batch again, in two cases only: when DynamoDB
took none of the items that it should have, because then the table or the function is broken, not a message, and the
function's Errors alarm should say so; and when a record has no identifier by which it could be reported.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from tracing import tracer

from .records import read, withhold_followers
from .table import SLOWEST_CALL, MessageTable, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from .records import Message
    from .table import Outcome

if not os.environ.get("TABLE_NAME"):
    raise RuntimeError("TABLE_NAME is not set: give the function the name of the table that it writes to.")

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "ServerlessLab")
table = MessageTable(connect(), os.environ["TABLE_NAME"])


class NothingStoredError(Exception):
    """DynamoDB took none of the items."""


class UnidentifiedRecordError(Exception):
    """A record has no usable messageId."""


# Not Powertools' BatchProcessor: it hands over one record at a time, and BatchWriteItem takes 25.
@tracer.handler
@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Store the messages, and report those that are not known to be in the table."""
    messages = [read(record) for record in event["Records"]]
    withhold_followers(messages)
    items = [message.item for message in messages if message.item and not message.failure]
    with tracer.subsegment("store") as step:
        outcome = table.store(items, _time_left(context, len(messages)))
        step.annotate("messages", len(messages))
        step.annotate("stored", len(outcome.stored))
    for message in messages:
        message.failure = message.failure or outcome.failure(message.message_id)
    withhold_followers(messages)

    failed = [message for message in messages if message.failure]
    _tell(messages, failed, outcome)
    if items and not outcome.stored:
        raise NothingStoredError(f"of {len(messages)} messages: {dict(Counter(each.failure for each in failed))}")
    identifiers = dict.fromkeys(message.message_id for message in failed)
    if "" in identifiers:
        # On Lambda an empty identifier would do, as it fails the whole batch; not every emulator knows that.
        raise UnidentifiedRecordError("a record without a usable messageId can be reported only with its whole batch")
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


def _time_left(context: LambdaContext, records: int) -> Callable[[], float]:
    """Count down the seconds in which calls may be started, so that the answer is given before the timeout."""

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000

    # For one slow call, and for a log line about each record; but half of a short timeout is there for writing.
    kept_back = min(SLOWEST_CALL + 0.3 + 0.0003 * records, remaining() / 2)
    return lambda: remaining() - kept_back


def _tell(messages: list[Message], failed: list[Message], outcome: Outcome) -> None:
    """Log and count what happened, without any body."""
    for message in failed:
        logger.warning("Message not acknowledged", extra={"messageId": message.message_id, "reason": message.failure})
    counts = {
        "MessagesStored": len(messages) - len(failed),
        "MessagesFailed": len(failed),
        "UnprocessedItems": outcome.unprocessed,
        "BatchWriteItemCalls": outcome.calls,
    }
    logger.info("Batch handled", extra=counts)
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
