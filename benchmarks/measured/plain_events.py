"""Puts events and polls for them as one writes it first, and prints how many came through a second.

``plain_events.py EVENTS``: from a bus of its own, by a rule, to a queue. An event a call, a message a poll. The clock
runs as in ``our_events.py``.
"""

from __future__ import annotations

import json
import sys
import time
import uuid

import boto3


def main(count: int) -> float:
    events, sqs, name = boto3.client("events"), boto3.client("sqs"), f"measured-{uuid.uuid4()}"
    events.create_event_bus(Name=name)
    rule = events.put_rule(Name=name, EventBusName=name, EventPattern='{"source": ["shop.orders"]}')["RuleArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "queue", "Arn": arn}])

    started = time.perf_counter()
    for number in range(count):
        entry = {
            "EventBusName": name,
            "Source": "shop.orders",
            "DetailType": "OrderPlaced",
            "Detail": json.dumps({"id": str(number)}),
        }
        events.put_events(Entries=[entry])
    received: set[str] = set()
    while len(received) < count:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
            received.add(json.loads(message["Body"])["detail"]["id"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    figure = count / (time.perf_counter() - started)

    events.remove_targets(Rule=name, EventBusName=name, Ids=["queue"])
    events.delete_rule(Name=name, EventBusName=name)
    events.delete_event_bus(Name=name)
    sqs.delete_queue(QueueUrl=url)
    return figure


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
