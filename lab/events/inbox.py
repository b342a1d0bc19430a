"""A queue whose messages are JSON: one that exists, or one that is made for a while."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.runbook import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3


@dataclass(frozen=True)
class Inbox:
    """A queue whose messages are JSON."""

    sqs: Any
    url: str
    arn: str

    def receive(self, wanted: Callable[[Any], bool] = lambda _: True) -> list[Any]:
        """Wait a second for the next messages; take those that are ``wanted`` out of the queue, and return them."""
        messages = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        read = [(message["ReceiptHandle"], json.loads(message["Body"])) for message in messages.get("Messages", [])]
        taken = [(receipt, body) for receipt, body in read if wanted(body)]
        if taken:
            receipts = [{"Id": str(number), "ReceiptHandle": receipt} for number, (receipt, _) in enumerate(taken)]
            self.sqs.delete_message_batch(QueueUrl=self.url, Entries=receipts)
        return [body for _, body in taken]

    def collect(self, name_of: Callable[[Any], Any], expected: set[Any], ours: set[Any]) -> dict[Any, Any]:
        """Wait for all that are ``expected``; return what came of ``ours`` by its name, and leave what is not."""
        found: dict[Any, Any] = {}

        def all_came() -> bool:
            found.update({name_of(body): body for body in self.receive(lambda body: name_of(body) in ours)})
            return expected <= set(found)

        wait_for(all_came, seconds=120)
        return found


@contextmanager
def temporary_queue(session: boto3.Session, name: str, service: str, source_arn: str) -> Iterator[Inbox]:
    """Make a queue that one resource of one service may send to, and delete it at the end."""
    sqs = session.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes={"SqsManagedSseEnabled": "true"})["QueueUrl"]
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        yield Inbox(sqs, url, arn)
    finally:
        sqs.delete_queue(QueueUrl=url)


@contextmanager
def subscribed(session: boto3.Session, topic: str) -> Iterator[Inbox]:
    """Subscribe a queue to a topic of Amazon SNS for a while."""
    sns, name = session.client("sns"), f"lab-subscribed-{uuid.uuid4()}"
    with temporary_queue(session, name, "sns.amazonaws.com", topic) as inbox:
        subscription = sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=inbox.arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        try:
            yield inbox
        finally:
            sns.unsubscribe(SubscriptionArn=subscription)
