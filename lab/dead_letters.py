"""The dead-letter queues of a section: what is in them, and the way back."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.deployment import Deployment


@dataclass(frozen=True)
class DeadLetter:
    """A message that failed for good.

    :param queue: which of the section's dead-letter queues holds it.
    :param error: why, where the sender wrote that down: EventBridge's error code.
    """

    queue: str
    message_id: str
    sent_at: str
    receives: int
    error: str
    body: str

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``lab dlq show --json`` prints for it."""
        return asdict(self)


def queues(deployed: Deployment) -> dict[str, str]:
    """Find the section's dead-letter queues, which its outputs name: their addresses, by those names without ``Url``.

    :raises UsageError: when it has none.
    """
    ending = "DeadLetterQueueUrl"
    found = {name.removesuffix("Url"): url for name, url in deployed.outputs.items() if name.endswith(ending)}
    if not found:
        raise UsageError(f"{deployed.section.id} has no dead-letter queue.")
    return found


def count(deployed: Deployment) -> int:
    """Count the messages in the dead-letter queues, as SQS approximates it."""
    return sum(_count(deployed, url) for url in queues(deployed).values())


def peek(deployed: Deployment, limit: int) -> list[DeadLetter]:
    """Read up to ``limit`` messages and leave them in their queues; others do not see them for a moment."""
    letters: list[DeadLetter] = []
    for name, url in queues(deployed).items():
        letters += [_letter(name, message) for message in _peek(deployed, url, limit - len(letters))]
    return letters


def _peek(deployed: Deployment, url: str, limit: int) -> list[dict[str, Any]]:
    sqs = deployed.client("sqs")
    seen: dict[str, dict[str, Any]] = {}
    while len(seen) < limit:
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(10, limit - len(seen)),
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            MessageAttributeNames=["ERROR_CODE"],
            VisibilityTimeout=30,
            WaitTimeSeconds=1,
        ).get("Messages", [])
        fresh = {message["MessageId"]: message for message in messages if message["MessageId"] not in seen}
        if not fresh:
            break
        seen.update(fresh)
    for entries in _in_tens(list(seen.values())):
        # One that is visible again already needs nothing: what fails here may fail.
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    return list(seen.values())


def redrive(deployed: Deployment, moved_so_far: Callable[[int], None]) -> int:
    """Send every dead letter back to the queue that it came from, if it is from one; return how many.

    SQS does it itself (a message move task). Where the API has no such tasks, as the emulator's, each message is sent
    to the queue and only then deleted here, so that an interruption loses none.

    :param moved_so_far: told how many are back, again and again.
    :raises UsageError: when the section has no dead-letter queue, or none that a queue of the section leads to.
    :raises LabError: when SQS could not send all of them back.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    arns = {url: _arn(deployed, url) for url in queues(deployed).values()}
    sources = {url: queue for url, arn in arns.items() if (queue := _source_queue(deployed, arn))}
    if not sources:
        raise UsageError(
            f"The dead letters of {deployed.section.id} come from no queue that they could be sent back to; "
            f"`lab dlq show {deployed.section.id}` says why they failed."
        )
    moved = 0
    for url, queue in sources.items():
        moved += _redrive(deployed, url, arns[url], queue, partial(_add, moved_so_far, moved))
    return moved


def _add(moved_so_far: Callable[[int], None], before: int, moved: int) -> None:
    moved_so_far(before + moved)


def _redrive(deployed: Deployment, url: str, arn: str, queue: str, moved_so_far: Callable[[int], None]) -> int:
    sqs = deployed.client("sqs")
    try:
        sqs.start_message_move_task(SourceArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"InvalidAction", "AWS.SimpleQueueService.UnsupportedOperation"}:
            raise
        return _send_back(deployed, url, queue, moved_so_far)
    return _wait_for_move_task(sqs, arn, moved_so_far)


def _wait_for_move_task(sqs: Any, arn: str, moved_so_far: Callable[[int], None]) -> int:
    while True:
        [task] = sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"]
        moved_so_far(int(task.get("ApproximateNumberOfMessagesMoved", 0)))
        if task["Status"] != "RUNNING":
            if task["Status"] != "COMPLETED":
                reason = task.get("FailureReason", "it gives no reason")
                raise LabError(f"SQS did not send all of them back, the task is {task['Status']}: {reason}")
            return int(task["ApproximateNumberOfMessagesMoved"])
        time.sleep(1)


def _source_queue(deployed: Deployment, arn: str) -> str | None:
    """Find the queue whose messages end in the dead-letter queue ``arn``."""
    sqs = deployed.client("sqs")
    for url in deployed.physical_ids("AWS::SQS::Queue"):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
        if json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn") == arn:
            return url
    return None


def _arn(deployed: Deployment, url: str) -> str:
    attributes = deployed.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


def _send_back(deployed: Deployment, url: str, queue: str, moved_so_far: Callable[[int], None]) -> int:
    sqs, moved = deployed.client("sqs"), 0
    while _count(deployed, url):
        for message in sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", []):
            sqs.send_message(QueueUrl=queue, MessageBody=message["Body"], **_kept(message))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
            moved_so_far(moved)
    return moved


def _kept(message: dict[str, Any]) -> dict[str, Any]:
    """Keep what a message had besides its body; a FIFO queue needs the group again."""
    kept = {"MessageAttributes": message["MessageAttributes"]} if message.get("MessageAttributes") else {}
    system = message.get("Attributes", {})
    if "MessageGroupId" in system:
        kept["MessageGroupId"] = system["MessageGroupId"]
        kept["MessageDeduplicationId"] = message["MessageId"]
    return kept


def _count(deployed: Deployment, url: str) -> int:
    attributes = deployed.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def _in_tens(messages: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Make the entries of calls that let others see these messages again, ten a call."""
    for start in range(0, len(messages), 10):
        yield [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for number, message in enumerate(messages[start : start + 10])
        ]


def _letter(queue: str, message: dict[str, Any]) -> DeadLetter:
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, tz=timezone.utc)
    receives = int(message["Attributes"]["ApproximateReceiveCount"])
    error = message.get("MessageAttributes", {}).get("ERROR_CODE", {}).get("StringValue", "")
    return DeadLetter(
        queue, message["MessageId"], sent.isoformat(timespec="milliseconds"), receives, error, message["Body"]
    )
