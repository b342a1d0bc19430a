"""Writes items to the DynamoDB table, with as few calls of BatchWriteItem as its limits permit."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

# Not boto3, which would load the transfer manager of Amazon S3 too: a sixth of the cold start.
import botocore.session
from botocore import exceptions
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from .records import Item

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_MAX_ITEMS = 25
# Of 16 MB; the rest is for what surrounds the items in the request.
_MAX_REQUEST_BYTES = 15 * 1024 * 1024

_CONNECT_SECONDS = 1
_READ_SECONDS = 2
#: Seconds after which a call that has no answer fails.
SLOWEST_CALL = _CONNECT_SECONDS + _READ_SECONDS

_ATTEMPTS = 8
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0

# Errors after which another attempt may succeed: what DynamoDB answers then, beside 5xx, and no answer at all.
_TRANSIENT_CODES = {
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ThrottlingException",
}
_NO_ANSWER = (exceptions.ConnectionError, exceptions.HTTPClientError)

# Functions that start from one SnapStart snapshot would all draw the same numbers from the random module's own state.
_random = random.SystemRandom()


@dataclass
class Outcome:
    """What became of the items. None counts as stored before DynamoDB has said so."""

    stored: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    unprocessed: int = 0

    def failure(self, message_id: str) -> str | None:
        """Say why the item is not known to be in the table, if it is not."""
        return None if message_id in self.stored else self.reasons.get(message_id, "no time was left")


def connect() -> DynamoDBClient:
    """Make a client whose calls end within ``SLOWEST_CALL``, and that leaves every retry to ``MessageTable``."""
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        # botocore's own retries would not know when the invocation ends.
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=1,
        parameter_validation=False,
    )
    return cast("DynamoDBClient", botocore.session.get_session().create_client("dynamodb", config=config))


class MessageTable:
    """The table, whose partition key is ``MessageId``.

    :param sleep: waits for a number of seconds.
    :param uniform: draws a random number between two.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = _random.uniform,
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep
        self._uniform = uniform

    def store(self, items: Iterable[Item], time_left: Callable[[], float]) -> Outcome:
        """Write the items; try again what DynamoDB did not take, after exponential backoff with full jitter.

        :param time_left: the seconds in which a call may still be started; asked before each one.
        """
        outcome = Outcome()
        pending = _distinct(items, outcome)
        for attempt in range(_ATTEMPTS):
            if attempt:
                pause = self._uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1)))
                if pause >= time_left():
                    break
                self._sleep(pause)
            pending = [item for batch in _batches(pending) for item in self._write(batch, time_left, outcome)]
            if not pending:
                break
        return outcome

    def _write(self, batch: list[Item], time_left: Callable[[], float], outcome: Outcome) -> list[Item]:
        """Write the items with one call, and return those that are worth another attempt."""
        if time_left() <= 0:
            return []
        outcome.calls += 1
        try:
            response = self._client.batch_write_item(
                RequestItems={self._name: [{"PutRequest": {"Item": item}} for item in batch]}
            )
        except exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ValidationException" and len(batch) > 1:
                # One item failed them all, and although it passed our validation: a table can ask for more, such as
                # short keys for a secondary index. Halves find the item in a few calls.
                halves = batch[: len(batch) // 2], batch[len(batch) // 2 :]
                return [item for half in halves for item in self._write(half, time_left, outcome)]
            outcome.reasons.update((_key(item), code) for item in batch)
            transient = code in _TRANSIENT_CODES or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
            return batch if transient else []
        except exceptions.BotoCoreError as error:
            outcome.reasons.update((_key(item), type(error).__name__) for item in batch)
            return batch if isinstance(error, _NO_ANSWER) else []
        handed_back = {
            request["PutRequest"]["Item"]["MessageId"]["S"]
            for requests in response.get("UnprocessedItems", {}).values()
            for request in requests
        }
        outcome.unprocessed += len(handed_back)
        outcome.reasons.update(dict.fromkeys(handed_back, "UnprocessedItems"))
        outcome.stored.update(_key(item) for item in batch if _key(item) not in handed_back)
        return [item for item in batch if _key(item) in handed_back]


def _key(item: Item) -> str:
    return item["MessageId"]["S"]


def _distinct(items: Iterable[Item], outcome: Outcome) -> list[Item]:
    """Reduce an item that comes twice to one, because BatchWriteItem refuses a request that names a key twice."""
    distinct: dict[str, Item] = {}
    for item in items:
        if distinct.setdefault(_key(item), item) != item:
            outcome.reasons[_key(item)] = "different messages with one MessageId"
    return [item for key, item in distinct.items() if key not in outcome.reasons]


def _batches(items: list[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    batch_bytes = 0
    for item in items:
        # As botocore sends it: escapes make it up to six times as long as DynamoDB's own measure of an item.
        item_bytes = len(json.dumps(item))
        if len(batch) == _MAX_ITEMS or batch_bytes + item_bytes > _MAX_REQUEST_BYTES:
            yield batch
            batch, batch_bytes = [], 0
        batch.append(item)
        batch_bytes += item_bytes
    if batch:
        yield batch
