"""Sends messages to a queue in batches, in parallel, and accounts for every one of them."""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .batches import in_batches
from .failures import REQUEST_ERRORS, in_one_line, is_transient
from .pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from .plan import Plan

#: How often a batch is tried before its messages count as failed.
ATTEMPTS = 8
FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 5

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # whoever uses the library decides what is shown


@dataclass
class BatchResult:
    """What became of the messages of one batch.

    :param sent: the bodies that SQS accepted, by their MessageId.
    :param failed: for each message that was not sent, the reason.
    """

    sent: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


@dataclass
class Totals:
    """What became of all messages.

    :param sent: messages for which SQS returned a MessageId.
    :param failures: how many were not sent, for each reason.
    :param gave_up: why nothing more was tried, if a whole request failed for good.
    """

    sent: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    gave_up: str | None = None

    @property
    def failed(self) -> int:
        """Messages that were tried and not sent."""
        return self.failures.total()

    @property
    def messages_a_second(self) -> float:
        """Messages sent, over the whole time."""
        return self.sent / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        return (
            f"{self.sent:,} sent, {self.failed:,} failed in {self.seconds:.2f} s: "
            f"{self.messages_a_second:,.1f} messages a second"
        )


#: Called after each batch, by one worker at a time.
Progress = Callable[[BatchResult, Totals], None]


def send(
    client: SQSClient,
    queue_url: str,
    plan: Plan,
    *,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Totals:
    """Send messages as the plan says, and return when all of them are accounted for.

    A message counts as sent only when SQS returned its MessageId. What SQS could not take (an internal error, too
    many requests, a lost connection) is tried up to eight times, with growing pauses; what it will not take is not
    tried again. When a whole request has failed for good, so would the next: nothing more is tried.

    When an answer is lost after SQS accepted the messages, they are tried again, and a standard queue then holds them
    twice, as it may at any time; if the answers stay away, messages that count as failed may be in the queue. A FIFO
    queue (its name ends in ``.fifo``) recognises them by their MessageDeduplicationId and holds them once. There,
    each worker has a message group of its own, whose messages keep their order unless one has to be tried again.

    :param client: should not retry by itself, as ``client_config`` has it, or every attempt becomes several.
    :param stop: when it is set, what is in flight is finished, with its retries, and nothing more is sent. It is set
        here when a whole request failed.
    :param progress: called after each batch with what became of it and of all so far; one call at a time.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
    """
    return _Sending(client, queue_url, plan, stop or threading.Event(), progress).run()


class _Sending:
    def __init__(
        self, client: SQSClient, queue_url: str, plan: Plan, stop: threading.Event, progress: Progress | None
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._plan = plan
        self._stop = stop
        self._progress = progress
        self._level = logging.INFO if plan.one_by_one else logging.DEBUG
        self._batches = in_batches(plan.bodies(), plan.batch_size)
        self._started = time.monotonic()
        self._pace = Pace(plan.seconds_per_message, wait=stop.wait)
        self._turn = threading.Lock()
        self._totals = Totals()
        self._accounting = threading.Lock()
        self._error: BaseException | None = None

    def run(self) -> Totals:
        # Daemons, so that who is interrupted while waiting for them can leave at once.
        workers = [
            threading.Thread(target=self._work, args=(f"sender-{number}",), daemon=True)
            for number in range(self._plan.parallel)
        ]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        except BaseException:
            self._stop.set()
            raise
        if self._error:
            raise self._error
        self._totals.seconds = time.monotonic() - self._started
        return self._totals

    def _work(self, message_group: str) -> None:
        try:
            while batch := self._next_batch():
                self._account(self._deliver(self._entries(batch, message_group)))
        except BaseException as error:
            self._error = error
            self._stop.set()

    def _next_batch(self) -> list[str] | None:
        with self._turn:
            if self._stop.is_set():
                return None
            batch = next(self._batches, None)
            if batch:
                self._pace.wait_for(len(batch))
            return None if self._stop.is_set() else batch

    def _entries(self, batch: list[str], message_group: str) -> dict[str, SendMessageBatchRequestEntryTypeDef]:
        entries: dict[str, SendMessageBatchRequestEntryTypeDef] = {
            str(number): {"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)
        }
        if self._queue_url.endswith(".fifo"):
            for entry in entries.values():
                entry["MessageGroupId"] = message_group
                entry["MessageDeduplicationId"] = str(uuid.uuid4())
        return entries

    def _deliver(self, pending: dict[str, SendMessageBatchRequestEntryTypeDef]) -> BatchResult:
        for entry in pending.values():
            log.log(self._level, "Sending message: %s", entry["MessageBody"])
        result = BatchResult()
        for delay in _backoff():
            time.sleep(delay)
            request_failure = None
            try:
                reasons = self._attempt(pending, result)
            except REQUEST_ERRORS as error:
                request_failure = in_one_line(error)
                reasons = dict.fromkeys(pending, request_failure)
                if not is_transient(error):
                    break
            if not pending:
                break
            log.info("%d not accepted yet: %s", len(pending), ", ".join(sorted(set(reasons.values()))))
        result.failed += reasons.values()
        if request_failure:
            self._totals.gave_up = request_failure
            self._stop.set()
        return result

    def _attempt(self, pending: dict[str, SendMessageBatchRequestEntryTypeDef], result: BatchResult) -> dict[str, str]:
        """Move what SQS decided on from ``pending`` to ``result``; say for what remains why it does."""
        answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=list(pending.values()))
        for accepted in answer.get("Successful", []):
            log.log(self._level, "MessageId: %s", accepted["MessageId"])
            result.sent[accepted["MessageId"]] = pending.pop(accepted["Id"])["MessageBody"]
        reasons = dict.fromkeys(pending, "SQS did not say what became of it")
        for refused in answer.get("Failed", []):
            reason = f"{refused['Code']}: {refused.get('Message', 'no message')}"
            if refused["SenderFault"]:
                del pending[refused["Id"]], reasons[refused["Id"]]
                result.failed.append(reason)
            else:
                reasons[refused["Id"]] = reason
        return reasons

    def _account(self, result: BatchResult) -> None:
        with self._accounting:
            self._totals.sent += len(result.sent)
            self._totals.failures.update(result.failed)
            self._totals.seconds = time.monotonic() - self._started
            for reason, messages in Counter(result.failed).items():
                log.error("%d not sent: %s", messages, reason)
            if self._progress:
                self._progress(result, self._totals)


def _backoff() -> Iterator[float]:
    """Say how long to wait before each attempt; at random, so that workers who failed together do not return so."""
    yield 0
    for retry in range(ATTEMPTS - 1):
        longest = min(FIRST_BACKOFF_SECONDS * 2**retry, LONGEST_BACKOFF_SECONDS)
        yield longest * random.uniform(0.5, 1)  # noqa: S311 - nothing secret about it
