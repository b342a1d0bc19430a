"""Lab 15.1 as the chapter tells it: its names, its wiring, and who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, only, permissions, resources, synthesize

if TYPE_CHECKING:
    from collections.abc import Mapping

LAB = Form(catalog.section("sqs-lambda"), Posture.LAB)
WITH_CLIENT = Form(catalog.section("sqs-lambda"), Posture.LAB, "ec2-client")


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[LAB].template


def names(template: Mapping[str, Any]) -> list[str]:
    """Return the names of the queue, the function and the table."""
    [queue] = [found["QueueName"] for found in resources(template, "AWS::SQS::Queue").values() if "QueueName" in found]
    function = only(template, "AWS::Lambda::Function")["FunctionName"]
    return [queue, function, only(template, "AWS::DynamoDB::GlobalTable")["TableName"]]


def test_the_names_are_the_chapters(template: dict[str, Any]) -> None:
    assert names(template) == ["Messages", "SQSDynamoDB", "Message"]


def test_the_names_can_be_changed_from_context() -> None:
    mine = {"queue_name": "Orders", "function_name": "Consumer", "table_name": "Order"}

    changed = synthesize({"section": "sqs-lambda", **mine})["sqs-lambda"].template

    assert names(changed) == list(mine.values())


def test_the_consumer_may_write_batches_to_the_table_and_nothing_more(template: dict[str, Any]) -> None:
    [table] = resources(template, "AWS::DynamoDB::GlobalTable")
    [log_group] = resources(template, "AWS::Logs::LogGroup")
    mapping = only(template, "AWS::Lambda::EventSourceMapping")
    role = only(template, "AWS::Lambda::Function")["Role"]["Fn::GetAtt"][0]

    assert permissions(template, role) == {
        "dynamodb:BatchWriteItem": {"Fn::GetAtt": [table, "Arn"]},
        "logs:CreateLogStream": {"Fn::GetAtt": [log_group, "Arn"]},
        "logs:PutLogEvents": {"Fn::GetAtt": [log_group, "Arn"]},
        **dict.fromkeys(
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
            ],
            mapping["EventSourceArn"],
        ),
        **dict.fromkeys(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
    }


def test_the_consumer_knows_its_table(template: dict[str, Any]) -> None:
    [table] = resources(template, "AWS::DynamoDB::GlobalTable")

    assert only(template, "AWS::Lambda::Function")["Environment"]["Variables"]["TABLE_NAME"] == {"Ref": table}


def test_outputs_are_what_the_runbook_needs(template: dict[str, Any]) -> None:
    assert list(template["Outputs"]) == ["QueueUrl", "DeadLetterQueueUrl", "FunctionName", "TableName"]


def test_production_outlives_its_stack_and_the_lab_does_not(synthesized_forms: dict[Form, Synthesized]) -> None:
    for posture, deletion in ((Posture.LAB, "Delete"), (Posture.PRODUCTION, "RetainExceptOnCreate")):
        template = synthesized_forms[Form(LAB.entry, posture)].template
        kinds = ("AWS::DynamoDB::GlobalTable", "AWS::SQS::Queue", "AWS::Logs::LogGroup")
        kept = {one["DeletionPolicy"] for one in template["Resources"].values() if one["Type"] in kinds}
        assert kept == {deletion}


def test_the_client_may_send_to_the_chapters_queue(synthesized_forms: dict[Form, Synthesized]) -> None:
    template = synthesized_forms[WITH_CLIENT].template

    profile = only(template, "AWS::IAM::InstanceProfile")
    allowed = permissions(template, profile["Roles"][0]["Ref"])
    assert allowed["sqs:SendMessage"] == only(template, "AWS::Lambda::EventSourceMapping")["EventSourceArn"]
    [instance] = resources(template, "AWS::EC2::Instance")
    assert template["Outputs"]["ClientInstanceId"]["Value"] == {"Ref": instance}


def test_there_is_no_client_unless_it_is_asked_for(template: dict[str, Any]) -> None:
    assert not [one for one in template["Resources"].values() if one["Type"].startswith("AWS::EC2::")]


def test_an_unknown_client_is_refused_with_the_permitted_ones() -> None:
    with pytest.raises(UnknownNameError) as refusal:
        synthesize({"section": "sqs-lambda", "client": "ec3"})

    assert str(refusal.value) == "There is no client ec3. Did you mean ec2? The clients are: none, ec2."


def test_the_alarms_tell_a_topic_that_context_names() -> None:
    topic = "arn:aws:sns:us-east-1:111122223333:alarms"
    stack = synthesize({"section": "sqs-lambda", "alarm_topic": topic})["sqs-lambda"]

    alarms = resources(stack.template, "AWS::CloudWatch::Alarm").values()
    assert len(alarms) == 5
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == [topic] for alarm in alarms)
