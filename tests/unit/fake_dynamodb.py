"""What the consumer's tests run on: a DynamoDB that refuses what the real one does, a clock, records of Amazon SQS."""

from __future__ import annotations

import io
import json
import os
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import botocore.session
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ENVIRONMENT = {
    "TABLE_NAME": "Message",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "sqs-lambda",
}
with mock.patch.dict(os.environ, ENVIRONMENT):
    from lambda_src.queue_worker.runtime import handler as consumer
    from lambda_src.queue_worker.runtime.table import SLOWEST_CALL, MessageTable

# Hypothesis measures an example in wall time, and a busy machine is no fault of the code.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Record = dict[str, Any]
STANDARD = "arn:aws:sqs:us-east-1:000000000000:Messages"
FIFO = "arn:aws:sqs:us-east-1:000000000000:Messages.fifo"

_REQUEST_SHAPE = (
    botocore.session.get_session().get_service_model("dynamodb").operation_model("BatchWriteItem").input_shape
)


class Clock:
    """Time that passes only when somebody sleeps or calls DynamoDB."""

    def __init__(self, timeout: float = 10.0) -> None:
        self.now = 0.0
        self.timeout = timeout
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def remaining(self) -> float:
        return max(0.0, self.timeout - self.now)

    def context(self) -> Any:
        return SimpleNamespace(
            function_name="SQSDynamoDB",
            memory_limit_in_mb=256,
            invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:SQSDynamoDB",
            aws_request_id="request",
            get_remaining_time_in_millis=lambda: int(self.remaining() * 1000),
        )


@dataclass(frozen=True)
class Answer:
    """How DynamoDB takes one valid call: it skips items by their position, fails with an error, takes its time.

    An error that is the lack of an answer (``ReadTimeoutError``) comes after the items were stored, all but the
    skipped ones; every other one comes instead.
    """

    skips: frozenset[int] = frozenset()
    error: str | None = None
    seconds: float = 0.01


WELL = Answer()
ALWAYS = 1000  # more calls than anything here makes
TRANSIENT = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "ReplicatedWriteConflictException",
    "InternalServerError",
    "ServiceUnavailable",
    "EndpointConnectionError",
    "ReadTimeoutError",
]
FINAL = [
    "ResourceNotFoundException",
    "AccessDeniedException",
    "ItemCollectionSizeLimitExceededException",
    "NoCredentialsError",
]
answers = st.builds(
    Answer,
    skips=st.frozensets(st.integers(0, 24)),
    error=st.none() | st.sampled_from([*TRANSIENT, *FINAL]),
    seconds=st.floats(0, SLOWEST_CALL),
)
NOT_SENT = {"EndpointConnectionError": EndpointConnectionError, "NoCredentialsError": NoCredentialsError}


@dataclass
class FakeDynamoDB:
    """The low-level client's BatchWriteItem, on a table in memory.

    :param script: how it takes its calls, one after the other; when it ends, all goes well.
    :param refused: MessageIds that the table refuses although the API permits them, as a secondary index can.
    """

    clock: Clock = field(default_factory=Clock)
    script: Iterable[Answer] = ()
    refused: frozenset[str] = frozenset()
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)
    exists: bool = True

    def __post_init__(self) -> None:
        self._answers: Iterator[Answer] = iter(self.script)

    def recover(self) -> None:
        self._answers = iter(())

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        problems = ParamValidator().validate(request, _REQUEST_SHAPE)
        assert not problems.has_errors(), problems.generate_report()
        [(table, puts)] = request["RequestItems"].items()
        items = [put["PutRequest"]["Item"] for put in puts]
        self.calls.append([item.get("MessageId", {}).get("S") for item in items])
        answer = next(self._answers, WELL)
        self.clock.now += answer.seconds
        self._validate(request, items)
        if answer.error in NOT_SENT:
            raise NOT_SENT[answer.error](endpoint_url="https://dynamodb")
        if answer.error and answer.error != "ReadTimeoutError":
            raise client_error(answer.error)
        skipped = [put for position, put in enumerate(puts) if position in answer.skips]
        for put in puts:
            if put not in skipped:
                self._put(put["PutRequest"]["Item"])
        if answer.error:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        if len(skipped) == len(puts):
            raise client_error("ProvisionedThroughputExceededException")
        # Under the table's own name: nothing says that an answer repeats an ARN by which it was asked.
        return {"UnprocessedItems": {table.rpartition("/")[2]: skipped} if skipped else {}}

    def _put(self, item: dict[str, Any]) -> None:
        key = item["MessageId"]["S"]
        if self.items.setdefault(key, item) != item:
            self.overwritten.append(key)
        self.items[key] = item

    def _validate(self, request: dict[str, Any], items: list[dict[str, Any]]) -> None:
        """Refuse the whole request, for the reasons that the documentation of BatchWriteItem lists."""
        if not self.exists:
            raise client_error("ResourceNotFoundException")
        keys = [item.get("MessageId", {}).get("S") for item in items]
        for refusal, holds in (
            ("the request is empty", not items),
            ("there are more than 25 requests", len(items) > 25),
            ("the request exceeds 16 MB", len(json.dumps(request)) > 16_000_000),
            ("a key is missing or empty", not all(keys)),
            ("a key exceeds 2048 bytes", any(len(key.encode()) > 2048 for key in keys if key)),
            ("two items have the same key", len(set(keys)) < len(keys)),
            ("an item exceeds 400 KB", any(size_of(item) > 409_600 for item in items)),
            ("an index refuses a value", not self.refused.isdisjoint(keys)),
        ):
            if holds:
                raise client_error("ValidationException", refusal)


def size_of(item: dict[str, Any]) -> int:
    return sum(len(name.encode()) + len(value["S"].encode()) for name, value in item.items())


def client_error(code: str, message: str = "") -> ClientError:
    status = 500 if code in ("InternalServerError", "ServiceUnavailable") else 400
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "BatchWriteItem")


def record(
    message_id: object = "m0", body: object = "hello", sent: object = "1700000000123", *, group: str = "", arn: str = ""
) -> Record:
    """A record as Lambda gets it from SQS; ``group`` makes it one of a FIFO queue."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": sent} | ({"MessageGroupId": group} if group else {})
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": arn or (FIFO if group else STANDARD),
        "awsRegion": "us-east-1",
    }


def records(count: int) -> list[Record]:
    return [record(f"m{n}", f"body {n}", str(1700000000000 + n)) for n in range(count)]


def without(original: Record, *path: str) -> Record:
    """The record with one of its fields left out."""
    field_name, *deeper = path
    if deeper:
        return original | {field_name: without(original[field_name], *deeper)}
    return {name: value for name, value in original.items() if name != field_name}


def item_of(original: Record) -> dict[str, Any]:
    """What has to be in the table, worked out another way than the consumer does."""
    seconds, milliseconds = divmod(int(original["attributes"]["SentTimestamp"]), 1000)
    sent = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return {
        "MessageId": {"S": original["messageId"]},
        "Body": {"S": original["body"]},
        "Timestamp": {"S": f"{sent}.{milliseconds:03d}+00:00"},
    }


@dataclass
class Invocation:
    """What came of one invocation: its answer or its error, and what it printed."""

    answer: dict[str, Any] | None
    error: Exception | None
    printed: str

    @property
    def failed(self) -> list[str]:
        assert self.answer is not None, self.error
        return [failure["itemIdentifier"] for failure in self.answer["batchItemFailures"]]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.printed.splitlines()]

    @property
    def logs(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "level" in line]

    @property
    def metrics(self) -> dict[str, Any]:
        [metrics] = [line for line in self.lines if "_aws" in line]
        return {name: value[0] if isinstance(value, list) else value for name, value in metrics.items()}

    def left_in_queue(self, batch: list[Record]) -> list[Record]:
        """What Lambda makes visible again: all after an error or an identifier that it does not know."""
        identifiers = {each.get("messageId") if isinstance(each, dict) else None for each in batch}
        if self.answer is None or not all(name and name in identifiers for name in self.failed):
            return batch
        return [each for each in batch if each["messageId"] in self.failed]


def invoke(
    batch: list[Any], dynamodb: FakeDynamoDB, *, uniform: Callable[[float, float], float] = lambda _, high: high
) -> Invocation:
    """Let the handler handle a batch, with every pause as long as it can get."""
    clock = dynamodb.clock
    table = MessageTable(dynamodb, "Message", sleep=clock.sleep, uniform=uniform)  # type: ignore[arg-type]
    printed = io.StringIO()
    consumer.logger.registered_handler.setStream(printed)
    answer, error = None, None
    with mock.patch.object(consumer, "table", table), redirect_stdout(printed):
        try:
            # There and back through JSON, as Lambda does it.
            answer = json.loads(json.dumps(consumer.handler({"Records": batch}, clock.context())))
        except (consumer.NothingStoredError, consumer.UnidentifiedRecordError) as raised:
            error = raised
    return Invocation(answer, error, printed.getvalue())


def put_requests(*items: dict[str, Any]) -> dict[str, Any]:
    return {"RequestItems": {"Message": [{"PutRequest": {"Item": item}} for item in items]}}


def item(message_id: str, body: str = "") -> dict[str, Any]:
    return {"MessageId": {"S": message_id}, "Body": {"S": body}}
