"""The functions' roles are in force on the emulator: too little fails, and too much is found."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from .conftest import Lab


@pytest.fixture(scope="module")
def outputs(lab: Lab) -> dict[str, str]:
    deployed: dict[str, str] = json.loads(lab("up", "sqs-lambda", "--json").stdout)["sqs-lambda"]
    return deployed


@contextmanager
def policy_on_the_role(session: boto3.Session, function: str, effect: str, *actions: str) -> Iterator[None]:
    """Give the function's role one more statement for a while."""
    arn = session.client("lambda").get_function_configuration(FunctionName=function)["Role"]
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    iam, role = session.client("iam"), arn.rsplit("/", 1)[1]
    iam.put_role_policy(
        RoleName=role,
        PolicyName="ForATest",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="ForATest")


def invoke(session: boto3.Session, function: str) -> dict[str, Any]:
    record = {
        "messageId": str(uuid.uuid4()),
        "body": "text",
        "attributes": {"SentTimestamp": "1700000000000"},
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:Messages",
    }
    answer = session.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"Records": [record]}))
    return {"failed": "FunctionError" in answer, "answer": json.loads(answer["Payload"].read())}


def test_a_function_whose_role_lacks_a_permission_fails(session: boto3.Session, outputs: dict[str, str]) -> None:
    assert invoke(session, outputs["FunctionName"]) == {"failed": False, "answer": {"batchItemFailures": []}}
    with policy_on_the_role(session, outputs["FunctionName"], "Deny", "dynamodb:BatchWriteItem"):
        refused = invoke(session, outputs["FunctionName"])
    assert refused["failed"] or refused["answer"]["batchItemFailures"]
    assert "AccessDenied" in json.dumps(refused)


def test_a_role_that_permits_too_much_fails_the_runbook(
    lab: Lab, session: boto3.Session, outputs: dict[str, str]
) -> None:
    with policy_on_the_role(session, outputs["FunctionName"], "Allow", "dynamodb:DeleteTable"):
        report = json.loads(lab("run", "sqs-lambda", "--no-deploy", "--json", status=1).stdout)

    [failed] = [check for check in report["checks"] if check["outcome"] == "failed"]
    assert report["failed"] == 1
    assert failed["id"] == "role-is-least-privilege"
    assert "dynamodb:DeleteTable was not refused: permitted" in failed["detail"]
    tables = session.client("dynamodb").list_tables()["TableNames"]
    assert outputs["TableName"] in tables, "the check did the harm that it looks for"
