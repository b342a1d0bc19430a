"""A nested application is pinned to one version, and a range of them is none."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from lambda_src.nested_application.construct import NestedApplication
from lambda_src.options import InvalidOptionsError
from tests.stacks.synthesis import only

ID = "arn:aws:serverlessrepo:us-east-1:111122223333:applications/app"
KIND = "AWS::Serverless::Application"


def test_it_is_pinned_and_its_outputs_are_attributes(stack: cdk.Stack) -> None:
    nested = NestedApplication(
        stack, "Nested", application_id=ID, semantic_version="1.0.0", parameters={"Name": "orders"}, timeout_minutes=5
    )
    cdk.CfnOutput(stack, "Url", value=nested.output("QueueUrl"))

    template = Template.from_stack(stack).to_json()
    assert template["Transform"] == "AWS::Serverless-2016-10-31"
    assert only(template, KIND) == {
        "Location": {"ApplicationId": ID, "SemanticVersion": "1.0.0"},
        "Parameters": {"Name": "orders"},
        "TimeoutInMinutes": 5,
    }
    assert template["Outputs"]["Url"]["Value"] == {"Fn::GetAtt": ["Nested", "Outputs.QueueUrl"]}


def test_what_was_not_given_is_left_out(stack: cdk.Stack) -> None:
    NestedApplication(stack, "Nested", application_id=ID, semantic_version="1.0.0")
    assert only(Template.from_stack(stack).to_json(), KIND).keys() == {"Location"}


def test_every_wrong_option_is_said_in_one_error(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidOptionsError) as refused:
        NestedApplication(stack, "Nested", application_id="app", semantic_version="^1.0.0", timeout_minutes=0)
    assert str(refused.value).splitlines() == [
        "NestedApplication Empty/Nested:",
        "  application_id is app: arn:aws:serverlessrepo:REGION:ACCOUNT:applications/NAME",
        "  semantic_version is ^1.0.0: one semantic version, such as 1.0.0",
        "  timeout_minutes is 0: 1 or more",
    ]
