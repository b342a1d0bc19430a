"""The dead-letter queue of a section: what is in it, and the way back."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.deployment import Deployment


@dataclass(frozen=True)
class DeadLetter:
    """A message that failed for good."""

    message_id: str
    sent_at: str
    receives: int
    body: str

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``lab dlq show --json`` prints for it."""
        return asdict(self)


def count(deployed: Deployment) -> int:
    """Count the messages in the dead-letter queue, as SQS approximates it."""
    return _count(deployed, _dead_letter_queue(deployed))


def peek(deployed: Deployment, limit: int) -> list[DeadLetter]:
    """Read up to ``limit`` messages and leave them in the queue; they are hidden from other readers for a moment."""
    sqs, url = deployed.client("sqs"), _dead_letter_queue(deployed)
    seen: dict[str, dict[str, Any]] = {}
    while len(seen) < limit:
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(10, limit - len(seen)),
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
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
    return [_letter(message) for message in seen.values()]


def redrive(deployed: Deployment, moved_so_far: Callable[[int], None]) -> int:
    """Send every dead letter back to the queue that it came from; return how many.

    SQS does it itself (a message move task). Where the API has no such tasks, as the emulator's, each message is sent
    to the queue and only then deleted here, so that an interruption loses none.

    :param moved_so_far: told how many are back, again and again.
    :raises UsageError: when the section has no dead-letter queue, or one that no queue of the section leads to.
    :raises LabError: when SQS could not send all of them back.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    sqs, url = deployed.client("sqs"), _dead_letter_queue(deployed)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    source = _source_queue(deployed, arn)
    try:
        sqs.start_message_move_task(SourceArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"InvalidAction", "AWS.SimpleQueueService.UnsupportedOperation"}:
            raise
        return _send_back(deployed, url, source, moved_so_far)
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


def _source_queue(deployed: Deployment, arn: str) -> str:
    sqs = deployed.client("sqs")
    for url in deployed.physical_ids("AWS::SQS::Queue"):
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
        if json.loads(policy.get("RedrivePolicy", "{}")).get("deadLetterTargetArn") == arn:
            return url
    raise UsageError(
        f"The dead letters of {deployed.section.id} come from no queue that they could be sent back to: "
        f"`lab dlq show {deployed.section.id}` tells what they are."
    )


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


def _dead_letter_queue(deployed: Deployment) -> str:
    if "DeadLetterQueueUrl" not in deployed.outputs:
        raise UsageError(f"{deployed.section.id} has no dead-letter queue.")
    return deployed.output("DeadLetterQueueUrl")


def _in_tens(messages: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Make the entries of calls that let others see these messages again, ten a call."""
    for start in range(0, len(messages), 10):
        yield [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for number, message in enumerate(messages[start : start + 10])
        ]


def _letter(message: dict[str, Any]) -> DeadLetter:
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, tz=timezone.utc)
    receives = int(message["Attributes"]["ApproximateReceiveCount"])
    return DeadLetter(message["MessageId"], sent.isoformat(timespec="milliseconds"), receives, message["Body"])
