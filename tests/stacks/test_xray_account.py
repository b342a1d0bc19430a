"""X-Ray's settings of an account: who may change what, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from lambda_src.posture import Posture
from lambda_src.xray_account import construct
from lambda_src.xray_account.construct import XrayAccount
from tests.stacks.synthesis import only, permissions, resources
from tests.stacks.test_traced_topic import policy_document

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import Stack


@pytest.fixture(autouse=True)
def without_dependencies(runtime_code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(construct, "RUNTIME", runtime_code)


def test_it_encrypts_with_a_key_that_rotates_and_outlives_the_traces(stack: Stack) -> None:
    XrayAccount(stack, "Account")

    template = Template.from_stack(stack)
    [key] = resources(template.to_json(), "AWS::KMS::Key")
    template.has_resource_properties("AWS::KMS::Key", {"EnableKeyRotation": True, "PendingWindowInDays": 30})
    template.has_resource_properties("Custom::XRayEncryptionConfig", {"KeyId": {"Fn::GetAtt": [key, "Arn"]}})


def test_an_existing_key_is_taken(stack: Stack) -> None:
    arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    XrayAccount(stack, "Account", encryption_key=kms.Key.from_key_arn(stack, "Key", arn))

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::KMS::Key", 0)
    template.has_resource_properties("Custom::XRayEncryptionConfig", {"KeyId": arn})


def test_its_function_may_set_the_encryption_and_hand_on_this_key_alone(stack: Stack) -> None:
    XrayAccount(stack, "Account")

    template = Template.from_stack(stack).to_json()
    [key] = resources(template, "AWS::KMS::Key")
    allowed = permissions(template, only(template, "AWS::Lambda::Function")["Role"]["Fn::GetAtt"][0])
    assert allowed["xray:PutEncryptionConfig"] == "*"
    granted = {action: where for action, where in allowed.items() if action.startswith("kms:")}
    assert list(granted) == ["kms:CreateGrant", "kms:DescribeKey"]
    assert all(where == {"Fn::GetAtt": [key, "Arn"]} for where in granted.values())


def test_x_ray_may_write_spans_before_transaction_search_begins(stack: Stack) -> None:
    XrayAccount(stack, "Account", indexing_percentage=5)

    template = Template.from_stack(stack)
    [policy] = resources(template.to_json(), "AWS::Logs::ResourcePolicy")
    template.has_resource(
        "AWS::XRay::TransactionSearchConfig",
        {"Properties": {"IndexingPercentage": 5}, "DependsOn": Match.array_with([policy])},
    )
    [statement] = policy_document(only(template.to_json(), "AWS::Logs::ResourcePolicy"))["Statement"]
    assert statement["Principal"] == {"Service": "xray.amazonaws.com"}
    assert statement["Action"] == "logs:PutLogEvents"
    assert [arn.partition("AWS::AccountId:")[2] for arn in statement["Resource"]] == [
        "log-group:aws/spans:*",
        "log-group:/aws/application-signals/data:*",
    ]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "AWS::AccountId"}


@pytest.mark.parametrize(
    ("posture", "deletion"), [(Posture.LAB, "Delete"), (Posture.PRODUCTION, "RetainExceptOnCreate")]
)
def test_in_production_its_key_outlives_its_stack(stack: Stack, posture: Posture, deletion: str) -> None:
    XrayAccount(stack, "Account", posture=posture)

    Template.from_stack(stack).has_resource("AWS::KMS::Key", {"DeletionPolicy": deletion})


@pytest.mark.parametrize("percentage", [-1, 101])
def test_it_refuses_a_percentage_that_is_none(stack: Stack, percentage: int) -> None:
    with pytest.raises(ValueError, match=f"indexing_percentage is {percentage}: 0 to 100 %"):
        XrayAccount(stack, "Account", indexing_percentage=percentage)
