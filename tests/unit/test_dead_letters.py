"""Dead letters are shown and left alone, and sent back so that an interruption loses none."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lab import dead_letters
from lab.errors import LabError, UsageError

QUEUE = "http://127.0.0.1:4566/000000000000/Messages"
DEAD = "http://127.0.0.1:4566/000000000000/Dead"
ARN = "arn:aws:sqs:us-east-1:000000000000:Dead"


def stubbed(*exchanges: tuple[str, dict[str, Any], dict[str, Any] | str]) -> tuple[Any, Stubber]:
    """Make a deployment whose SQS expects these calls, in this order, and no others."""
    client = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    for operation, request, answer in exchanges:
        if isinstance(answer, str):
            stubber.add_client_error(operation, answer, expected_params=request)
        else:
            stubber.add_response(operation, answer, request)
    stubber.activate()
    outputs = {"QueueUrl": QUEUE, "DeadLetterQueueUrl": DEAD}
    deployed = SimpleNamespace(
        section=SimpleNamespace(id="sqs-lambda"),
        outputs=outputs,
        output=outputs.get,
        client=lambda _: client,
        physical_ids=lambda _: [QUEUE],
    )
    return deployed, stubber


def count(number: int) -> tuple[str, dict[str, Any], dict[str, Any]]:
    request = {"QueueUrl": DEAD, "AttributeNames": ["ApproximateNumberOfMessages"]}
    return "get_queue_attributes", request, {"Attributes": {"ApproximateNumberOfMessages": str(number)}}


ARN_OF_DEAD = (
    "get_queue_attributes",
    {"QueueUrl": DEAD, "AttributeNames": ["QueueArn"]},
    {"Attributes": {"QueueArn": ARN}},
)
LEADS_THERE = (
    "get_queue_attributes",
    {"QueueUrl": QUEUE, "AttributeNames": ["RedrivePolicy"]},
    {"Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": ARN, "maxReceiveCount": 3})}},
)
NO_MOVE_TASKS = ("start_message_move_task", {"SourceArn": ARN}, "InvalidAction")
RECEIVE = {
    "QueueUrl": DEAD,
    "MaxNumberOfMessages": 10,
    "MessageSystemAttributeNames": ["All"],
    "MessageAttributeNames": ["All"],
}
MESSAGE = {"MessageId": "1", "ReceiptHandle": "handle", "Body": "text"}


def test_what_no_queue_gave_up_is_not_sent_to_any() -> None:
    deployed, _ = stubbed(ARN_OF_DEAD, (*LEADS_THERE[:2], {}))
    with pytest.raises(UsageError, match="come from no queue that they could be sent back to"):
        dead_letters.redrive(deployed, lambda _: None)


def test_sqs_moves_them_itself_where_it_can() -> None:
    deployed, stubber = stubbed(
        ARN_OF_DEAD,
        LEADS_THERE,
        ("start_message_move_task", {"SourceArn": ARN}, {"TaskHandle": "task"}),
        (
            "list_message_move_tasks",
            {"SourceArn": ARN, "MaxResults": 1},
            {"Results": [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 7}]},
        ),
    )
    assert dead_letters.redrive(deployed, lambda _: None) == 7
    stubber.assert_no_pending_responses()


def test_a_move_task_that_fails_is_an_error_with_its_reason() -> None:
    deployed, _ = stubbed(
        ARN_OF_DEAD,
        LEADS_THERE,
        ("start_message_move_task", {"SourceArn": ARN}, {"TaskHandle": "task"}),
        (
            "list_message_move_tasks",
            {"SourceArn": ARN, "MaxResults": 1},
            {"Results": [{"Status": "FAILED", "FailureReason": "AccessDenied"}]},
        ),
    )
    with pytest.raises(LabError, match="AccessDenied"):
        dead_letters.redrive(deployed, lambda _: None)


def test_elsewhere_each_is_sent_before_it_is_deleted() -> None:
    deployed, stubber = stubbed(
        ARN_OF_DEAD,
        LEADS_THERE,
        NO_MOVE_TASKS,
        count(1),
        ("receive_message", RECEIVE, {"Messages": [MESSAGE]}),
        ("send_message", {"QueueUrl": QUEUE, "MessageBody": "text"}, {}),
        ("delete_message", {"QueueUrl": DEAD, "ReceiptHandle": "handle"}, {}),
        count(0),
    )
    assert dead_letters.redrive(deployed, lambda _: None) == 1
    stubber.assert_no_pending_responses()


def test_what_the_queue_refuses_stays_a_dead_letter() -> None:
    deployed, stubber = stubbed(
        ARN_OF_DEAD,
        LEADS_THERE,
        NO_MOVE_TASKS,
        count(1),
        ("receive_message", RECEIVE, {"Messages": [MESSAGE]}),
        ("send_message", {"QueueUrl": QUEUE, "MessageBody": "text"}, "QueueDoesNotExist"),
    )
    with pytest.raises(Exception, match="QueueDoesNotExist"):
        dead_letters.redrive(deployed, lambda _: None)
    stubber.assert_no_pending_responses()  # nothing was deleted


def test_a_fifo_message_goes_back_to_its_group() -> None:
    message = {**MESSAGE, "Attributes": {"MessageGroupId": "group"}}
    deployed, stubber = stubbed(
        ARN_OF_DEAD,
        LEADS_THERE,
        NO_MOVE_TASKS,
        count(1),
        ("receive_message", RECEIVE, {"Messages": [message]}),
        (
            "send_message",
            {"QueueUrl": QUEUE, "MessageBody": "text", "MessageGroupId": "group", "MessageDeduplicationId": "1"},
            {},
        ),
        ("delete_message", {"QueueUrl": DEAD, "ReceiptHandle": "handle"}, {}),
        count(0),
    )
    assert dead_letters.redrive(deployed, lambda _: None) == 1
    stubber.assert_no_pending_responses()


def test_a_section_without_a_dead_letter_queue_says_so() -> None:
    deployed = SimpleNamespace(section=SimpleNamespace(id="ecr"), outputs={}, client=lambda _: None)
    with pytest.raises(UsageError, match="ecr has no dead-letter queue"):
        dead_letters.redrive(deployed, lambda _: None)  # type: ignore[arg-type]


def test_dead_letters_are_shown_queue_by_queue_with_the_reason_and_stay() -> None:
    said = {**MESSAGE, "Attributes": {"SentTimestamp": "0", "ApproximateReceiveCount": "2"}}
    because = {"ERROR_CODE": {"StringValue": "NO_PERMISSIONS", "DataType": "String"}}
    receive = {
        "QueueUrl": DEAD,
        "MaxNumberOfMessages": 5,
        "MessageSystemAttributeNames": ["SentTimestamp", "ApproximateReceiveCount"],
        "MessageAttributeNames": ["ERROR_CODE"],
        "VisibilityTimeout": 30,
        "WaitTimeSeconds": 1,
    }
    seen_again = {"Id": "0", "ReceiptHandle": "handle", "VisibilityTimeout": 0}
    deployed, stubber = stubbed(
        ("receive_message", receive, {"Messages": [{**said, "MessageAttributes": because}]}),
        ("receive_message", {**receive, "MaxNumberOfMessages": 4}, {}),
        (
            "change_message_visibility_batch",
            {"QueueUrl": DEAD, "Entries": [seen_again]},
            {"Successful": [], "Failed": []},
        ),
        ("receive_message", {**receive, "QueueUrl": f"{DEAD}2", "MaxNumberOfMessages": 4}, {}),
    )
    deployed.outputs["BusDeadLetterQueueUrl"] = f"{DEAD}2"
    [letter] = dead_letters.peek(deployed, 5)
    assert (letter.queue, letter.error, letter.receives) == ("DeadLetterQueue", "NO_PERMISSIONS", 2)
    stubber.assert_no_pending_responses()
