"""The section of the repository: Lab 15.1 as an application that collides with nothing of anybody's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from lambda_src.published_application.listed import unlisted
from lambda_src.published_application.rules import capabilities
from tests.stacks.synthesis import Synthesized, only, synthesize
from tests.stacks.test_published_application import sam_validate

NESTED = "arn:aws:serverlessrepo:us-east-1:111122223333:applications/app"


@pytest.fixture(scope="module")
def postures() -> dict[Posture, Synthesized]:
    return {posture: section(posture=posture.value) for posture in Posture}


@pytest.fixture
def application(postures: dict[Posture, Synthesized]) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(_file(postures[Posture.LAB]).read_text())
    return template


def _file(synthesized: Synthesized) -> Any:
    return synthesized.assembly / "Sar.Application.sam.json"


def section(**settings: str) -> Synthesized:
    return synthesize({"section": "sar", **settings})["sar"]


def test_the_sam_cli_takes_the_application(postures: dict[Posture, Synthesized]) -> None:
    for synthesized in postures.values():
        taken = sam_validate(_file(synthesized))
        assert taken.returncode == 0, taken.stdout + taken.stderr


def test_no_name_of_lab_15_1_is_in_it_but_as_a_parameter(application: dict[str, Any]) -> None:
    names = {
        value
        for resource in application["Resources"].values()
        for name, value in resource["Properties"].items()
        if name in {"QueueName", "FunctionName", "TableName"} and isinstance(value, str)
    }
    assert names == set()
    assert application["Parameters"].keys() == {"CustomQueueName", "CustomFunctionName", "CustomTableName"}
    assert {one["Default"] for one in application["Parameters"].values()} == {"generated"}
    queue = {"Fn::Sub": "${AWS::StackName}-Messages"}
    given = {"Fn::If": ["CustomQueueNameGiven", {"Ref": "CustomQueueName"}, queue]}
    named = [one for one in application["Resources"].values() if one["Properties"].get("QueueName") == given]
    assert len(named) == 1


def test_nothing_of_the_publishers_own_is_in_it() -> None:
    topic = "arn:aws:sns:us-east-1:111122223333:mine"
    made = synthesize({"section": "sqs-lambda,sar", "alarm_topic": topic, "client": "ec2"})["sar"]

    text = _file(made).read_text()
    assert topic not in text
    assert "AWS::EC2::Instance" not in text
    assert "cdk-hnb659fds" not in text


def test_it_asks_for_a_role_and_for_policies_and_for_no_more(application: dict[str, Any]) -> None:
    assert capabilities(application) == ["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"]


def test_every_type_in_it_is_on_the_repositorys_list(postures: dict[Posture, Synthesized]) -> None:
    for posture, synthesized in postures.items():
        application = json.loads(_file(synthesized).read_text())
        assert list(unlisted(application)) == []
        table = only(application, "AWS::DynamoDB::Table")
        assert table["DeletionProtectionEnabled"] == posture.protects_data
        restorable = {"PointInTimeRecoveryEnabled": posture.protects_data}
        assert table["PointInTimeRecoverySpecification"].items() >= restorable.items()


def test_its_name_and_version_can_be_changed_from_context() -> None:
    made = section(
        application_name="mine", semantic_version="2.0.0", author="me", source_code_url="https://example.com/a"
    )

    metadata = json.loads(_file(made).read_text())["Metadata"]["AWS::ServerlessRepo::Application"]
    assert [metadata[name] for name in ("Name", "SemanticVersion", "Author", "SourceCodeUrl")] == [
        "mine",
        "2.0.0",
        "me",
        "https://example.com/a",
    ]
    outputs = made.template["Outputs"]
    assert (outputs["ApplicationName"]["Value"], outputs["SemanticVersion"]["Value"]) == ("mine", "2.0.0")


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidOptionsError, match=r"semantic_version is latest: a semantic version"):
        section(semantic_version="latest")


def test_an_application_is_nested_at_the_version_that_context_names() -> None:
    made = section(nested_application=NESTED, nested_version="1.2.3")

    location = only(made.template, "AWS::Serverless::Application")["Location"]
    assert location == {"ApplicationId": NESTED, "SemanticVersion": "1.2.3"}
    assert {"NestedQueueUrl", "NestedTableName"} <= made.template["Outputs"].keys()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"nested_application": "serverless-lab-sqs-lambda"}, "application_id is serverless-lab-sqs-lambda: arn:"),
        ({"nested_application": NESTED, "nested_version": "latest"}, "semantic_version is latest: one semantic"),
    ],
)
def test_what_cannot_be_nested_is_refused(settings: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidOptionsError, match=said):
        section(**settings)
