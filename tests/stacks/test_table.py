"""The table block: on demand, and as safe as its posture asks for."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from lambda_src.posture import Posture
from lambda_src.table.construct import OnDemandTable
from tests.stacks.synthesis import CONTEXT, permissions

KEY = dynamodb.Attribute(name="MessageId", type=dynamodb.AttributeType.STRING)


def test_a_partition_key_is_all_that_it_needs(stack: Stack) -> None:
    OnDemandTable(stack, "Table", partition_key=KEY)

    Template.from_stack(stack).has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "MessageId", "KeyType": "HASH"}],
            "TableName": Match.absent(),
            "TimeToLiveSpecification": Match.absent(),
        },
    )


@pytest.mark.parametrize(
    ("posture", "protected", "deletion"),
    [(Posture.LAB, False, "Delete"), (Posture.PRODUCTION, True, "RetainExceptOnCreate")],
)
def test_posture_says_whether_data_can_be_lost(stack: Stack, posture: Posture, protected: bool, deletion: str) -> None:
    OnDemandTable(stack, "Table", partition_key=KEY, posture=posture)

    replica = {
        "DeletionProtectionEnabled": protected,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": protected},
    }
    Template.from_stack(stack).has_resource(
        "AWS::DynamoDB::GlobalTable",
        {
            "DeletionPolicy": deletion,
            "UpdateReplacePolicy": deletion.removesuffix("ExceptOnCreate"),
            "Properties": {"Replicas": [Match.object_like(replica)]},
        },
    )


def test_every_other_option_reaches_the_table(stack: Stack) -> None:
    OnDemandTable(
        stack,
        "Table",
        partition_key=KEY,
        sort_key=dynamodb.Attribute(name="SentAt", type=dynamodb.AttributeType.NUMBER),
        table_name="Message",
        time_to_live_attribute="ExpiresAt",
        max_read_request_units=100,
        max_write_request_units=50,
    )

    replica = {"ReadOnDemandThroughputSettings": {"MaxReadRequestUnits": 100}}
    Template.from_stack(stack).has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "KeySchema": [{"AttributeName": "MessageId"}, {"AttributeName": "SentAt", "KeyType": "RANGE"}],
            "Replicas": [Match.object_like(replica)],
            "TableName": "Message",
            "TimeToLiveSpecification": {"AttributeName": "ExpiresAt", "Enabled": True},
            "WriteOnDemandThroughputSettings": {"MaxWriteRequestUnits": 50},
        },
    )


def test_a_key_encrypts_it_where_the_region_is_known() -> None:
    stack = Stack(App(context=CONTEXT), "Regional", env=Environment(region="eu-central-1"))

    OnDemandTable(stack, "Table", partition_key=KEY, encryption_key=kms.Key(stack, "Key"))

    Template.from_stack(stack).has_resource_properties(
        "AWS::DynamoDB::GlobalTable", {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"}}
    )


def test_a_grant_is_as_narrow_as_it_is_asked_for(stack: Stack) -> None:
    table = OnDemandTable(stack, "Table", partition_key=KEY)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))

    table.grants.actions(role, "dynamodb:PutItem")

    role_id = stack.resolve(role.role_arn)["Fn::GetAtt"][0]
    assert permissions(Template.from_stack(stack).to_json(), role_id) == {
        "dynamodb:PutItem": stack.resolve(table.table_arn)
    }


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"table_name": "a b"}, ["table_name is a b: 3 to 255 letters, digits, and any of _.-"]),
    ({"table_name": "ab"}, ["table_name is ab: 3 to 255 letters, digits, and any of _.-"]),
    ({"table_name": "x" * 256}, [f"table_name is {'x' * 256}: 3 to 255 letters, digits, and any of _.-"]),
    (
        {"max_read_request_units": 0, "max_write_request_units": -1},
        ["max_read_request_units is 0: 1 or more", "max_write_request_units is -1: 1 or more"],
    ),
]


@pytest.mark.parametrize(("options", "problems"), REFUSED, ids=[problems[0][:40] for _, problems in REFUSED])
def test_it_refuses(stack: Stack, options: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(ValueError, match="OnDemandTable Empty/Table:") as refusal:
        OnDemandTable(stack, "Table", partition_key=KEY, **options)

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}" for problem in problems]


def test_it_refuses_a_key_where_the_region_is_unknown(stack: Stack) -> None:
    with pytest.raises(ValueError, match="encryption_key is given in a stack for any region: say the stack's region"):
        OnDemandTable(stack, "Table", partition_key=KEY, encryption_key=kms.Key(stack, "Key"))
