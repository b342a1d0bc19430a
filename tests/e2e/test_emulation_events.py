"""The emulator delivers events as EventBridge does: with permission, retried, to dead-letter queues, replayed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from lab.project import python_of
from lab.runbook import wait_for

from .conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Lab

ACCOUNT, REGION = "000000000000", "us-east-1"
START = """
from lab import emulator, project
from lab.views.terminal import Steps
project.require_checkout()
emulator.start(Steps(None))
"""
# Answers the status that the request asks for, and keeps what it was sent where the test can look.
ENDPOINT = """
import json, os, boto3
def handler(event, context):
    body = json.loads(event["body"])
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
    return {"statusCode": body["detail"].get("answer", 200), "body": "{}"}
"""
Template = dict[str, Any]


def start(lab_home: Path) -> None:
    environ = {**os.environ, "SERVERLESS_LAB_HOME": str(lab_home)}
    subprocess.run([sys.executable, "-c", START], env=environ, check=True)


@pytest.fixture(scope="module", autouse=True)
def emulator(lab: Lab, lab_home: Path) -> None:  # noqa: ARG001 - `lab` ends it
    start(lab_home)


def attribute(name: str, of: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, of]}  # type: ignore[dict-item]


def queue_policy(queue: str, service: str, condition: dict[str, Any] | None = None) -> Template:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": attribute(queue, "Arn"),
        **({"Condition": condition} if condition else {}),
    }
    # As a queue that refuses traffic without TLS has it: a delivery is not such traffic.
    tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": attribute(queue, "Arn"),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": queue}], "PolicyDocument": {"Statement": [statement, tls]}},
    }


def role(service: str, *statements: Template) -> Template:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]
            },
            "Policies": [{"PolicyName": "Permits", "PolicyDocument": {"Statement": list(statements)}}],
        },
    }


def rule(source: str, *targets: Template, **properties: Any) -> Template:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventBusName": {"Ref": "Bus"},
            "EventPattern": {"source": [source]},
            "Targets": [{"Id": f"T{number}", **target} for number, target in enumerate(targets)],
            **properties,
        },
    }


DEAD = {"DeadLetterConfig": {"Arn": attribute("Dead", "Arn")}, "RetryPolicy": {"MaximumRetryAttempts": 2}}
MISSING = f"arn:aws:sqs:{REGION}:{ACCOUNT}:is-not-there"
TEMPLATE: Template = {
    "Resources": {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "Tried", "LogConfig": {"Level": "ERROR"}}},
        "Policy": {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "StatementId": "OneOther",
                "Action": "events:PutEvents",
                "Principal": "111122223333",
            },
        },
        "Archive": {
            "Type": "AWS::Events::Archive",
            "Properties": {
                "SourceArn": attribute("Bus", "Arn"),
                "EventPattern": {"source": ["kept"]},
                "RetentionDays": "7",
            },
        },
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {}}},
        "Connection": {
            "Type": "AWS::Events::Connection",
            "Properties": {
                "AuthorizationType": "API_KEY",
                "AuthParameters": {
                    "ApiKeyAuthParameters": {
                        "ApiKeyName": "x-api-key",
                        "ApiKeyValue": {"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:::}}"},
                    }
                },
            },
        },
        "Destination": {
            "Type": "AWS::Events::ApiDestination",
            "Properties": {
                "ConnectionArn": attribute("Connection", "Arn"),
                "HttpMethod": "POST",
                "InvocationEndpoint": attribute("Url", "FunctionUrl"),
                "InvocationRateLimitPerSecond": "10",
            },
        },
        "Nowhere": {
            "Type": "AWS::Events::ApiDestination",
            "Properties": {
                "ConnectionArn": attribute("Connection", "Arn"),
                "HttpMethod": "POST",
                "InvocationEndpoint": "http://127.0.0.1:9/",
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": ENDPOINT},
                "Handler": "index.handler",
                "Runtime": "python3.14",
                "Role": attribute("FunctionRole", "Arn"),
                "Timeout": 20,
                "Environment": {"Variables": {"SEEN": {"Ref": "Seen"}}},
            },
        },
        "FunctionRole": role(
            "lambda.amazonaws.com",
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": attribute("Seen", "Arn")},
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Secret"}},
        ),
        "Url": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"TargetFunctionArn": attribute("Function", "Arn"), "AuthType": "NONE"},
        },
        "Everybody": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunctionUrl",
                "FunctionName": attribute("Function", "Arn"),
                "FunctionUrlAuthType": "NONE",
                "Principal": "*",
            },
        },
        "EventsRole": role(
            "events.amazonaws.com",
            {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": attribute("Destination", "Arn")},
            {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": attribute("Nowhere", "Arn")},
        ),
        "ScheduleRole": role(
            "scheduler.amazonaws.com",
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": attribute("Dead", "Arn")},
        ),
        **{name: {"Type": "AWS::SQS::Queue"} for name in ("Seen", "Open", "Closed", "Dead", "ClosedDead")},
        "OpenPolicy": queue_policy("Open", "events.amazonaws.com"),
        "DeadPolicy": queue_policy(
            "Dead",
            "events.amazonaws.com",
            {"ArnLike": {"aws:SourceArn": {"Fn::Sub": "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/Tried/*"}}},
        ),
        "ToQueue": rule("queue", {"Arn": attribute("Open", "Arn"), **DEAD}),
        "ToMissing": rule("missing", {"Arn": MISSING, **DEAD}),
        "ToClosed": rule("closed", {"Arn": attribute("Closed", "Arn"), **DEAD}),
        "ToFunction": rule("function", {"Arn": attribute("Function", "Arn"), **DEAD}),
        "ToDestination": rule(
            "api", {"Arn": attribute("Destination", "Arn"), "RoleArn": attribute("EventsRole", "Arn"), **DEAD}
        ),
        "ToNowhere": rule(
            "nowhere", {"Arn": attribute("Nowhere", "Arn"), "RoleArn": attribute("EventsRole", "Arn"), **DEAD}
        ),
        "WithWrongRole": rule(
            "role", {"Arn": attribute("Destination", "Arn"), "RoleArn": attribute("ScheduleRole", "Arn"), **DEAD}
        ),
        "ToClosedDead": rule("lost", {"Arn": MISSING, "DeadLetterConfig": {"Arn": attribute("ClosedDead", "Arn")}}),
        "ToKept": rule("kept", {"Arn": attribute("Open", "Arn"), **DEAD}),
        "OfAllCalls": rule(
            "calls", {"Arn": attribute("Open", "Arn"), **DEAD}, State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        ),
        "Disabled": rule("disabled", {"Arn": attribute("Open", "Arn"), **DEAD}, State="DISABLED"),
    },
    "Outputs": {
        **{
            name: {"Value": {"Ref": name}}
            for name in ("Seen", "Open", "Closed", "Dead", "ClosedDead", "Archive", "Secret")
        },
        "BusArn": {"Value": attribute("Bus", "Arn")},
        "ArchiveArn": {"Value": attribute("Archive", "Arn")},
        "Url": {"Value": attribute("Url", "FunctionUrl")},
        "FunctionName": {"Value": {"Ref": "Function"}},
        "ScheduleRole": {"Value": attribute("ScheduleRole", "Arn")},
        "DeadArn": {"Value": attribute("Dead", "Arn")},
    },
}


class Stack:
    """What a test needs of the stack that has one of everything."""

    def __init__(self, session: boto3.Session) -> None:
        self.session = session
        [stack] = session.client("cloudformation").describe_stacks(StackName="TriedEvents")["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def put(self, source: str, **detail: Any) -> str:
        entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps(detail), "EventBusName": "Tried"}
        answer = self.session.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer
        return str(answer["Entries"][0]["EventId"])

    def message(self, queue: str, about: Callable[[Any], bool]) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def look() -> bool:
            messages = self.session.client("sqs").receive_message(
                QueueUrl=self.outputs[queue], MessageAttributeNames=["All"], MaxNumberOfMessages=10, VisibilityTimeout=0
            )
            found.extend(message for message in messages.get("Messages", []) if about(json.loads(message["Body"])))
            return bool(found)

        assert wait_for(look, seconds=20), f"nothing came to {queue}"
        return found[0]

    def dead_letter(self, event_id: str) -> dict[str, str]:
        message = self.message("Dead", lambda event: event.get("id") == event_id)
        return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}

    def waiting(self, queue: str) -> int:
        attributes = self.session.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])


@pytest.fixture
def stack(session: boto3.Session) -> Iterator[Stack]:
    cloudformation = session.client("cloudformation")
    try:
        cloudformation.describe_stacks(StackName="TriedEvents")
    except ClientError:
        cloudformation.create_stack(
            StackName="TriedEvents", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"]
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName="TriedEvents", WaiterConfig={"Delay": 1})
    stack = Stack(session)
    yield stack
    for queue in {"Open", "Closed", "Dead", "ClosedDead", "Seen"} & set(stack.outputs):
        session.client("sqs").purge_queue(QueueUrl=stack.outputs[queue])


def test_an_event_reaches_a_queue_whose_policy_permits_it(stack: Stack) -> None:
    event_id = stack.put("queue", number=1)
    assert json.loads(stack.message("Open", lambda event: event["id"] == event_id)["Body"])["detail"] == {"number": 1}
    assert stack.waiting("Dead") == 0


def test_a_rule_of_calls_that_only_read_too_is_enabled_and_a_disabled_one_is_not(stack: Stack) -> None:
    stack.put("disabled")
    event_id = stack.put("calls")
    arrived = stack.message("Open", lambda _: True)
    assert json.loads(arrived["Body"])["id"] == event_id
    assert stack.waiting("Open") == 1


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("missing", "NO_RESOURCE"),
        ("closed", "NO_PERMISSIONS"),
        ("function", "NO_PERMISSIONS"),
        ("role", "FAILED_TO_ASSUME_ROLE"),
    ],
)
def test_what_cannot_be_delivered_is_in_the_dead_letter_queue_at_once(stack: Stack, source: str, code: str) -> None:
    letter = stack.dead_letter(stack.put(source))
    assert letter["ERROR_CODE"] == code
    assert letter["ERROR_MESSAGE"]
    assert letter["RETRY_ATTEMPTS"] == "0"
    assert "EXHAUSTED_RETRY_CONDITION" not in letter
    assert f":{ACCOUNT}:rule/Tried/" in letter["RULE_ARN"]
    assert letter["TARGET_ARN"].startswith("arn:aws:")
    assert stack.waiting("Closed") == 0


def test_a_dead_letter_queue_whose_policy_is_missing_gets_nothing(stack: Stack) -> None:
    stack.put("lost")
    stack.dead_letter(stack.put("missing"))
    assert stack.waiting("ClosedDead") == 0


def test_a_permission_that_is_given_delivers(stack: Stack) -> None:
    lambda_ = stack.session.client("lambda")
    name = stack.outputs["FunctionName"]
    lambda_.add_permission(
        FunctionName=name, StatementId="Events", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    stack.put("function", answer=200)
    time.sleep(1)
    lambda_.remove_permission(FunctionName=name, StatementId="Events")
    assert stack.waiting("Dead") == 0


def test_an_api_destination_is_called_with_the_connections_key(stack: Stack) -> None:
    event_id = stack.put("api", answer=204)
    request = json.loads(stack.message("Seen", lambda event: event_id in event["body"])["Body"])
    secret = stack.session.client("secretsmanager").get_secret_value(SecretId=stack.outputs["Secret"])["SecretString"]
    assert request["headers"]["x-api-key"] == secret
    assert stack.waiting("Dead") == 0


def test_an_endpoint_that_fails_is_tried_again_and_then_given_up(stack: Stack) -> None:
    event_id = stack.put("api", answer=503)
    letter = stack.dead_letter(event_id)
    assert (letter["RETRY_ATTEMPTS"], letter["EXHAUSTED_RETRY_CONDITION"]) == ("2", "MaximumRetryAttempts")
    assert "503" in letter["ERROR_MESSAGE"]
    assert stack.waiting("Seen") == 3


def test_an_endpoint_that_refuses_is_not_tried_again(stack: Stack) -> None:
    letter = stack.dead_letter(stack.put("api", answer=403))
    assert letter["RETRY_ATTEMPTS"] == "0"
    assert "EXHAUSTED_RETRY_CONDITION" not in letter
    assert stack.waiting("Seen") == 1


def test_an_endpoint_that_cannot_be_reached_is_tried_again(stack: Stack) -> None:
    letter = stack.dead_letter(stack.put("nowhere"))
    assert (letter["ERROR_CODE"], letter["RETRY_ATTEMPTS"]) == ("SDK_CLIENT_ERROR", "2")


def test_an_archive_keeps_what_its_pattern_asks_for_and_replays_it(stack: Stack) -> None:
    events, started = stack.session.client("events"), time.time()
    archive = events.describe_archive(ArchiveName=stack.outputs["Archive"])
    assert (archive["RetentionDays"], archive["EventSourceArn"]) == (7, stack.outputs["BusArn"])
    kept = stack.put("kept")
    stack.put("queue")
    name = f"replay-{uuid.uuid4()}"
    events.start_replay(
        ReplayName=name,
        EventSourceArn=stack.outputs["ArchiveArn"],
        EventStartTime=started - 1,
        EventEndTime=started + 60,
        Destination={"Arn": stack.outputs["BusArn"]},
    )
    again = json.loads(stack.message("Open", lambda event: event.get("replay-name") == name)["Body"])
    assert again["id"] == kept
    assert stack.waiting("Open") == 3


def test_a_schedules_event_that_cannot_be_delivered_has_its_own_attributes(stack: Stack) -> None:
    scheduler, name = stack.session.client("scheduler"), f"once-{uuid.uuid4()}"
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=time.strftime("at(%Y-%m-%dT%H:%M:%S)", time.gmtime(time.time() - 1)),
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": MISSING,
            "RoleArn": stack.outputs["ScheduleRole"],
            "Input": json.dumps({"id": name}),
            "DeadLetterConfig": {"Arn": stack.outputs["DeadArn"]},
        },
    )
    letter = stack.dead_letter(name)
    scheduler.delete_schedule(Name=name)
    assert letter["SCHEDULE_ARN"].endswith(name)
    assert letter["ERROR_CODE"] == "NO_RESOURCE"
    assert "RULE_ARN" not in letter


def test_the_bus_has_its_policy_and_its_logging(stack: Stack) -> None:
    bus = stack.session.client("events").describe_event_bus(Name="Tried")
    [statement] = json.loads(bus["Policy"])["Statement"]
    assert (statement["Sid"], statement["Principal"]) == ("OneOther", "111122223333")
    assert bus["LogConfig"] == {"Level": "ERROR"}


def call(url: str, session: boto3.Session | None = None) -> int:
    body = json.dumps({"detail": {}}).encode()
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
    if session:
        SigV4Auth(session.get_credentials(), "lambda", REGION).add_auth(request)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, body, dict(request.headers)), timeout=30) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_function_url_can_be_called_as_its_authorization_says(stack: Stack) -> None:
    lambda_, name = stack.session.client("lambda"), stack.outputs["FunctionName"]
    url = lambda_.get_function_url_config(FunctionName=name)["FunctionUrl"]
    assert url == stack.outputs["Url"]
    assert lambda_.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"][0]["FunctionUrl"] == url
    assert call(url) == 200
    lambda_.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    try:
        assert call(url) == 403
        assert call(url, stack.session) == 200
        stranger = boto3.Session("AKIAOFNOBODYHERE0000", "secret", region_name=REGION)
        assert call(url, stranger) == 403
    finally:
        lambda_.update_function_url_config(FunctionName=name, AuthType="NONE")


def test_a_stop_keeps_archives_and_urls(stack: Stack, lab: Lab, lab_home: Path) -> None:
    kept = stack.put("kept")
    count = stack.session.client("events").describe_archive(ArchiveName=stack.outputs["Archive"])["EventCount"]
    lab("down")
    start(lab_home)
    archive = stack.session.client("events").describe_archive(ArchiveName=stack.outputs["Archive"])
    assert kept
    assert archive["EventCount"] == count >= 1
    assert call(stack.outputs["Url"]) == 200


def test_a_ministack_without_a_hook_does_not_start(tmp_path: Path) -> None:
    code = (
        "import runpy; from ministack.services import eventbridge; del eventbridge._invoke_target; "
        f"runpy.run_path({str(ROOT / 'lab' / 'emulator_server.py')!r}, run_name='__main__')"
    )
    settings = {"LAMBDA_PYTHON": sys.executable, "GATEWAY_PORT": "0", "EMULATOR_RECORD": str(tmp_path / "record")}
    words = [python_of("emulator"), "-I", "-c", code]
    started = subprocess.run(words, env=settings, capture_output=True, text=True, timeout=60, check=False)
    assert started.returncode == 1
    assert started.stderr.splitlines()[-1].startswith(
        "lab.emulation.event_delivery was written for MiniStack 1.5.33, and MiniStack 1.5.33 has no "
        "ministack.services.eventbridge._invoke_target(target, event, rule, view): "
    )


def test_an_update_changes_what_a_template_made_and_a_deletion_removes_it(stack: Stack) -> None:
    cloudformation, events = stack.session.client("cloudformation"), stack.session.client("events")
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Archive"]["Properties"]["RetentionDays"] = 3
    changed["Resources"]["Policy"]["Properties"]["Principal"] = "444455556666"
    changed["Resources"]["Secret"]["Properties"]["Description"] = "changed"
    cloudformation.update_stack(
        StackName="TriedEvents", TemplateBody=json.dumps(changed), Capabilities=["CAPABILITY_IAM"]
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName="TriedEvents", WaiterConfig={"Delay": 1})
    assert events.describe_archive(ArchiveName=stack.outputs["Archive"])["RetentionDays"] == 3
    [statement] = json.loads(events.describe_event_bus(Name="Tried")["Policy"])["Statement"]
    assert statement["Principal"] == "444455556666"

    cloudformation.delete_stack(StackName="TriedEvents")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="TriedEvents", WaiterConfig={"Delay": 1})
    assert events.list_archives()["Archives"] == []
    assert events.list_connections()["Connections"] == []
    assert events.list_api_destinations()["ApiDestinations"] == []
    with pytest.raises(ClientError, match="not found"):
        events.describe_event_bus(Name="Tried")
    with pytest.raises(ClientError, match="can't find"):
        stack.session.client("secretsmanager").describe_secret(SecretId=stack.outputs["Secret"])
    stack.outputs = {}
