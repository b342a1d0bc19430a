"""Count in = count in the table + count in the dead-letter queue, exactly, whatever goes wrong on the way."""

from __future__ import annotations

import io
import json
import threading
import time
import urllib.request
import zipfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lab.runbook import wait_for
from lambda_src.message_sender.runtime.send_message import Plan, Totals, client_config, send

from .conftest import start_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import boto3

    from .conftest import Lab

MANY = 1000
SHORT = 8  # seconds, and above a cold start
CRASHING_HANDLER = """
import os
from runtime.handler import handler as whole

def handler(event, context):
    records = event["Records"]
    new = all(record["attributes"]["ApproximateReceiveCount"] == "1" for record in records)
    if new and int(records[0]["messageId"][0], 16) % 3 == 0:
        whole({"Records": records[: len(records) // 2]}, context)
        os._exit(1)
    return whole(event, context)
"""
TOO_LARGE = 420_000  # more than an item's 400 KB, less than a message's 1 MiB


@dataclass
class Deployed:
    """The section as it is deployed, with a visibility timeout that a test can wait for."""

    session: boto3.Session
    outputs: dict[str, str]

    def client(self, service: str, **options: Any) -> Any:
        return self.session.client(service, **options)  # type: ignore[call-overload]

    def send(self, count: int, **options: Any) -> dict[str, str]:
        """Send made-up messages; return their bodies by MessageId."""
        sent: dict[str, str] = {}
        client = self.client("sqs", config=client_config(4))
        plan = Plan(count=count, parallel=4, **options)
        totals = send(client, self.outputs["QueueUrl"], plan, progress=lambda batch, _: sent.update(batch.sent))
        assert (totals.sent, totals.failed) == (count, 0)
        return sent

    def table(self) -> dict[str, dict[str, str]]:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["TableName"])
        items = [{name: value["S"] for name, value in item.items()} for page in pages for item in page["Items"]]
        by_id = {item["MessageId"]: item for item in items}
        assert len(by_id) == len(items)
        return by_id

    def waiting(self, output: str) -> int:
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=["All"])
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(attributes["Attributes"][name]) for name in names)

    def settle(self, seconds: float = 120) -> None:
        """Wait until the queue is empty: every message is somewhere else then, or nowhere."""
        assert wait_for(lambda: self.waiting("QueueUrl") == 0, seconds=seconds), "the queue did not become empty"

    def dead_letters(self) -> dict[str, str]:
        """Take every message out of the dead-letter queue; return their bodies by MessageId."""
        sqs, url, letters = self.client("sqs"), self.outputs["DeadLetterQueueUrl"], {}
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            letters.update({message["MessageId"]: message["Body"] for message in messages})
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return letters

    def trigger(self, *, enabled: bool) -> None:
        """Stop or start the event source mapping."""
        [mapping] = self.client("lambda").list_event_source_mappings(FunctionName=self.outputs["FunctionName"])[
            "EventSourceMappings"
        ]
        self.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)

    def records(self, count: int) -> list[dict[str, Any]]:
        """Receive messages as the event source mapping would, and leave them in the queue."""
        sqs, url, found = self.client("sqs"), self.outputs["QueueUrl"], dict[str, dict[str, Any]]()
        self.visibility_timeout(60)
        handles = []
        while len(found) < count:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
            for message in answer["Messages"]:
                handles.append(message["ReceiptHandle"])
                found[message["MessageId"]] = {
                    "messageId": message["MessageId"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                    "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:Messages",
                }
        for handle in handles:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        self.visibility_timeout(SHORT)
        return list(found.values())

    def invoke(self, records: list[dict[str, Any]]) -> Any:
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs["FunctionName"], Payload=json.dumps({"Records": records})
        )
        return json.loads(answer["Payload"].read())

    @contextmanager
    def handler_that_crashes(self) -> Iterator[None]:
        """Put a handler around the function's own that ends its process after half of every third new batch."""
        lambda_, name = self.client("lambda"), self.outputs["FunctionName"]
        url = lambda_.get_function(FunctionName=name)["Code"]["Location"]
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as response:
            original = response.read()
        handler = lambda_.get_function_configuration(FunctionName=name)["Handler"]
        changed = io.BytesIO(original)
        with zipfile.ZipFile(changed, "a") as bundle:
            bundle.writestr("crashing.py", CRASHING_HANDLER)
        lambda_.update_function_code(FunctionName=name, ZipFile=changed.getvalue())
        lambda_.update_function_configuration(FunctionName=name, Handler="crashing.handler")
        try:
            yield
        finally:
            lambda_.update_function_code(FunctionName=name, ZipFile=original)
            lambda_.update_function_configuration(FunctionName=name, Handler=handler)

    @contextmanager
    def one_attempt(self) -> Iterator[None]:
        """Take one failure for enough: after each, the emulator pauses for a second."""
        sqs, url = self.client("sqs"), self.outputs["QueueUrl"]
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
        once = json.dumps({**json.loads(policy), "maxReceiveCount": 1})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": once})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})

    def visibility_timeout(self, seconds: int) -> None:
        self.client("sqs").set_queue_attributes(
            QueueUrl=self.outputs["QueueUrl"], Attributes={"VisibilityTimeout": str(seconds)}
        )


@pytest.fixture(scope="module")
def outputs(lab: Lab) -> dict[str, str]:
    deployed: dict[str, str] = json.loads(lab("up", "sqs-lambda", "--json").stdout)["sqs-lambda"]
    return deployed


@pytest.fixture
def deployed(outputs: dict[str, str], session: boto3.Session) -> Iterator[Deployed]:
    section = Deployed(session, outputs)
    # The stack's minute would make each attempt of a failing message take one.
    section.visibility_timeout(SHORT)
    section.settle()
    section.dead_letters()
    yield section
    section.settle()
    section.visibility_timeout(60)


def test_a_poison_record_reaches_the_dead_letter_queue_and_its_batch_mates_the_table(deployed: Deployed) -> None:
    before = deployed.table()
    deployed.trigger(enabled=False)
    good = deployed.send(MANY)
    poison = deployed.send(20, message="x" * TOO_LARGE)
    good |= deployed.send(MANY)  # so that good and bad share batches
    deployed.trigger(enabled=True)
    deployed.settle()

    stored = bodies(deployed.table(), without=before)
    assert stored == good
    assert deployed.dead_letters() == poison


def test_what_is_delivered_twice_is_stored_once(deployed: Deployed) -> None:
    before = deployed.table()
    deployed.trigger(enabled=False)
    sent = deployed.send(MANY)
    records = deployed.records(MANY)
    for start in range(0, MANY, 10):
        assert deployed.invoke(records[start : start + 10]) == {"batchItemFailures": []}
    first = deployed.table()
    deployed.trigger(enabled=True)  # every message is delivered once more, by SQS itself
    deployed.settle()

    assert bodies(first, without=before) == sent
    assert deployed.table() == first
    assert deployed.dead_letters() == {}


def test_a_function_that_crashes_half_way_through_a_batch_loses_nothing(deployed: Deployed) -> None:
    before = deployed.table()
    # A process that ended has to be started again, and a message must not become visible before.
    deployed.visibility_timeout(20)
    with deployed.handler_that_crashes():
        sent = deployed.send(MANY)
        deployed.settle()

    assert bodies(deployed.table(), without=before) == sent
    assert deployed.dead_letters() == {}


def test_a_stop_and_a_start_lose_nothing(
    lab: Lab, lab_home: Path, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sender waits out a restart; on a machine that other tests keep busy, that of an emulator takes longer.
    monkeypatch.setattr("lambda_src.message_sender.runtime.sender.ATTEMPTS", 14)
    before = deployed.table()
    port = deployed.outputs["QueueUrl"].split("/")[2]
    sent = deployed.send(MANY)  # some are stored, some in flight, most wait
    stopping, accepted = threading.Event(), dict[str, str]()
    totals: list[Totals] = []
    client = deployed.client("sqs", config=client_config(1))

    def go_on_sending() -> None:
        plan = Plan(rate=200)
        url = deployed.outputs["QueueUrl"]
        totals.append(send(client, url, plan, stop=stopping, progress=lambda batch, _: accepted.update(batch.sent)))

    sender = threading.Thread(target=go_on_sending)
    sender.start()
    time.sleep(1)
    lab("down")
    start_emulator(lab_home, seconds=60)
    time.sleep(2)
    stopping.set()
    sender.join()
    deployed.settle()

    assert deployed.outputs["QueueUrl"].split("/")[2] == port
    assert totals[0].failed == 0, totals[0].failures
    assert len(accepted) > 200, "the sender did not go on"
    stored = bodies(deployed.table(), without=before) | deployed.dead_letters()
    counted = {**sent, **accepted}
    assert {message_id: stored.get(message_id) for message_id in counted} == counted
    # What SQS accepted while its answer was lost was sent again: a second message with the same body, and no other.
    assert {body for message_id, body in stored.items() if message_id not in counted} <= set(accepted.values())


def test_without_a_table_everything_is_a_dead_letter_and_a_redrive_brings_it_in(lab: Lab, deployed: Deployed) -> None:
    dynamodb, name = deployed.client("dynamodb"), deployed.outputs["TableName"]
    dynamodb.delete_table(TableName=name)
    with deployed.one_attempt():
        sent = deployed.send(MANY)
        deployed.settle(seconds=600)  # after each batch that fails, the emulator pauses for a second
    assert json.loads(lab("dlq", "show", "sqs-lambda", "--json", "--limit", "1").stdout)["waiting"] == MANY

    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "MessageId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "MessageId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert json.loads(lab("dlq", "redrive", "sqs-lambda", "--json").stdout) == {"redriven": MANY}
    deployed.settle()

    # A redriven message is a new one to SQS: its body tells which it was.
    assert Counter(bodies(deployed.table(), without={}).values()) == Counter(sent.values())
    assert deployed.dead_letters() == {}


def bodies(table: dict[str, dict[str, str]], *, without: dict[str, dict[str, str]]) -> dict[str, str]:
    return {message_id: item["Body"] for message_id, item in table.items() if message_id not in without}
