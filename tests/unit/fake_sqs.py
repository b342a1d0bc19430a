"""An SQS client that refuses what SQS refuses, and fails as a test's script says."""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def client_error(code: str, status: int, operation: str = "SendMessageBatch") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": f"{code}!"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


class QueueDoesNotExistError(ClientError):
    """As botocore makes it for each client."""


@dataclass(frozen=True)
class Step:
    """What happens to one request; an empty step is success.

    :param error: raised in place of an answer.
    :param accepted_before: whether SQS had taken the messages when the error came, so that only its answer was lost.
    :param failed: entries, by position, that are not accepted, and whether that is the sender's fault.
    :param forgotten: entries, by position, that the answer does not mention at all.
    """

    error: Exception | None = None
    accepted_before: bool = False
    failed: dict[int, bool] = field(default_factory=dict)
    forgotten: frozenset[int] = frozenset()


class FakeSqs:
    """Holds queues, and what they accepted.

    :param script: what happens to the first requests; all after them succeed.
    """

    def __init__(self, *queue_names: str, script: Iterable[Step] = (), may_list: bool = True) -> None:
        self.queue_names = queue_names or ("Messages",)
        self.may_list = may_list
        self.requests: list[list[dict[str, Any]]] = []
        #: Bodies in the queue by MessageId, and those of them whose MessageId the sender was told.
        self.accepted: dict[str, str] = {}
        self.answered: dict[str, str] = {}
        self.exceptions = SimpleNamespace(QueueDoesNotExist=QueueDoesNotExistError)
        self.meta = SimpleNamespace(region_name="eu-west-1", endpoint_url="https://sqs.eu-west-1.amazonaws.com")
        self.script: Iterator[Step] = itertools.chain(script, itertools.repeat(Step()))
        self._ids = itertools.count()
        self._deduplicated: dict[str, str] = {}
        self._lock = threading.Lock()

    def url(self, queue_name: str = "Messages") -> str:
        return f"{self.meta.endpoint_url}/123456789012/{queue_name}"

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803
        if QueueName not in self.queue_names:
            error = {"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue", "Message": "no such queue"}}
            raise QueueDoesNotExistError(error, "GetQueueUrl")  # type: ignore[arg-type]
        return {"QueueUrl": self.url(QueueName)}

    def list_queues(self) -> dict[str, list[str]]:
        if not self.may_list:
            raise client_error("AccessDenied", 403, "ListQueues")
        return {"QueueUrls": [self.url(name) for name in self.queue_names]}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        with self._lock:
            return self._send_message_batch(QueueUrl, Entries)

    def _send_message_batch(self, queue_url: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
        self._refuse_what_sqs_refuses(queue_url, entries)
        self.requests.append(entries)
        step = next(self.script)
        if step.error and not step.accepted_before:
            raise step.error
        answer: dict[str, Any] = {}
        for position, entry in enumerate(entries):
            if not re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+", entry["MessageBody"]):
                answer.setdefault("Failed", []).append(self._failure(entry, "InvalidMessageContents", True))
            elif position in step.failed:
                answer.setdefault("Failed", []).append(self._failure(entry, "InternalError", step.failed[position]))
            elif position not in step.forgotten:
                answer.setdefault("Successful", []).append({"Id": entry["Id"], "MessageId": self._accept(entry)})
        if step.error:
            raise step.error
        for success in answer.get("Successful", []):
            self.answered[success["MessageId"]] = self.accepted[success["MessageId"]]
        return answer

    def _refuse_what_sqs_refuses(self, queue_url: str, entries: list[dict[str, Any]]) -> None:
        if queue_url.rsplit("/", 1)[-1] not in self.queue_names:
            raise client_error("AWS.SimpleQueueService.NonExistentQueue", 400)
        if not entries:
            raise client_error("AWS.SimpleQueueService.EmptyBatchRequest", 400)
        if len(entries) > 10:
            raise client_error("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400)
        if len({entry["Id"] for entry in entries}) < len(entries):
            raise client_error("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400)
        if sum(len(entry["MessageBody"].encode()) for entry in entries) > 1_048_576:
            raise client_error("AWS.SimpleQueueService.BatchRequestTooLong", 400)
        fifo_parameters = {"MessageGroupId", "MessageDeduplicationId"}
        if queue_url.endswith(".fifo") and not all(fifo_parameters <= entry.keys() for entry in entries):
            raise client_error("MissingParameter", 400)
        if not queue_url.endswith(".fifo") and any(fifo_parameters & entry.keys() for entry in entries):
            raise client_error("InvalidParameterValue", 400)

    def _accept(self, entry: dict[str, Any]) -> str:
        message_id = self._deduplicated.get(entry.get("MessageDeduplicationId", ""), f"id-{next(self._ids)}")
        self.accepted[message_id] = entry["MessageBody"]
        if "MessageDeduplicationId" in entry:
            self._deduplicated[entry["MessageDeduplicationId"]] = message_id
        return message_id

    @staticmethod
    def _failure(entry: dict[str, Any], code: str, sender_fault: bool) -> dict[str, Any]:
        return {"Id": entry["Id"], "Code": code, "Message": f"{code}!", "SenderFault": sender_fault}
