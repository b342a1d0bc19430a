"""Finds out what a role may do: by IAM's policy simulator, and by trying it as a function that has the same role."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.deployment import Deployment

_CODE = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    try:
        getattr(boto3.client(event["service"]), event["method"])(**event["parameters"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "permitted"
"""


@dataclass(frozen=True)
class Attempt:
    """One call of the AWS API that the role must be refused."""

    action: str
    resource: str
    parameters: dict[str, str]
    method: str

    @property
    def service(self) -> str:
        """Name the service as boto3 does."""
        return self.action.split(":")[0]


def permits(deployed: Deployment, role: str, action: str, resource: str) -> bool:
    """Ask IAM's policy simulator whether a role may do something; nothing is tried.

    :param role: its ARN.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
    """
    answer = deployed.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
    )
    [result] = answer["EvaluationResults"]
    return str(result["EvalDecision"]) == "allowed"


def answers_to(deployed: Deployment, function_name: str, attempts: list[Attempt]) -> dict[str, str]:
    """Make every attempt with the role of ``function_name``; return the error's code, or ``permitted``, by action.

    IAM's policy simulator is asked first: what it says would be permitted is not tried, since it would do harm.
    A small function is made for the attempts, and removed again.
    """
    function = deployed.client("lambda").get_function_configuration(FunctionName=function_name)
    answers = {
        attempt.action: "permitted"
        for attempt in attempts
        if permits(deployed, function["Role"], attempt.action, attempt.resource)
    }
    with _function_with_the_role_of(deployed, function) as invoke:
        for attempt in attempts:
            if attempt.action not in answers:
                answers[attempt.action] = invoke(attempt)
    return answers


@contextmanager
def _function_with_the_role_of(deployed: Deployment, function: dict[str, Any]) -> Iterator[Any]:
    lambda_, name = deployed.client("lambda"), f"lab-role-{uuid.uuid4()}"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("attempt.py", _CODE)
    lambda_.create_function(
        FunctionName=name,
        Role=function["Role"],
        Runtime=function["Runtime"],
        Architectures=function["Architectures"],
        Handler="attempt.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
    )

    def invoke(attempt: Attempt) -> str:
        event = {"service": attempt.service, "method": attempt.method, "parameters": attempt.parameters}
        answer = lambda_.invoke(FunctionName=name, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, f"the attempt of {attempt.action} failed: {payload}"
        return str(payload)

    try:
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
        yield invoke
    finally:
        lambda_.delete_function(FunctionName=name)
