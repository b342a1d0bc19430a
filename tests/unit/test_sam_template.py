"""A function becomes one of SAM's with nothing lost, and what an account without the CDK would lack is refused."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_src.published_application.sam import NotPublishableError, sam_template

METADATA = {"Name": "app", "Description": "It does."}
CODE = {
    "S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"},
    "S3Key": "abc.zip",
}


def made(**resources: dict[str, Any]) -> dict[str, Any]:
    template = {
        "Resources": resources,
        "Parameters": {"BootstrapVersion": {"Type": "String"}, "Mine": {"Type": "String"}},
        "Rules": {"CheckBootstrapVersion": {}},
        "Outputs": {"One": {"Value": 1}},
    }
    return sam_template(template, METADATA, {"abc.zip": "assets/abc"})


def function(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": {"Code": CODE, "Handler": "a.b", **properties}}


def test_a_function_becomes_one_of_sams() -> None:
    template = made(
        F={
            **function(
                TracingConfig={"Mode": "Active"},
                Tags=[{"Key": "project", "Value": "lab"}],
                DeadLetterConfig={"TargetArn": {"Fn::GetAtt": ["Q", "Arn"]}},
                LoggingConfig={"LogFormat": "JSON"},
            ),
            "DependsOn": ["Q"],
            "Metadata": {"aws:cdk:path": "a/b", "aws:asset:path": "/home/somebody", "cfn-lint": {"config": {}}},
        },
        Q={"Type": "AWS::SQS::Queue"},
    )

    assert template["Resources"]["F"] == {
        "Type": "AWS::Serverless::Function",
        "DependsOn": ["Q"],
        "Metadata": {"cfn-lint": {"config": {}}},
        "Properties": {
            "CodeUri": "assets/abc",
            "Handler": "a.b",
            "Tracing": "Active",
            "Tags": {"project": "lab"},
            "DeadLetterQueue": {"Type": "SQS", "TargetArn": {"Fn::GetAtt": ["Q", "Arn"]}},
            "LoggingConfig": {"LogFormat": "JSON"},
        },
    }


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ({"Fn::GetAtt": ["Q", "Arn"]}, "SQS"),
        ({"Ref": "T"}, "SNS"),
        ("arn:aws:sns:us-east-1:111122223333:failed", "SNS"),
        ("arn:aws:sqs:us-east-1:111122223333:failed", "SQS"),
    ],
)
def test_a_dead_letter_queue_is_a_queue_or_a_topic(target: Any, kind: str) -> None:
    template = made(
        F=function(DeadLetterConfig={"TargetArn": target}),
        Q={"Type": "AWS::SQS::Queue"},
        T={"Type": "AWS::SNS::Topic"},
    )
    assert template["Resources"]["F"]["Properties"]["DeadLetterQueue"]["Type"] == kind


def test_what_the_cdk_adds_for_itself_is_left_out() -> None:
    template = made(F=function(), M={"Type": "AWS::CDK::Metadata"})

    assert template["Parameters"] == {"Mine": {"Type": "String"}}
    assert "Rules" not in template
    assert list(template["Resources"]) == ["F"]
    assert template["Metadata"]["AWS::ServerlessRepo::Application"] == METADATA
    assert template["Transform"] == "AWS::Serverless-2016-10-31"
    assert template["Outputs"] == {"One": {"Value": 1}}


def test_code_within_the_template_stays_there() -> None:
    inline = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "def handler(): ..."}}}
    assert made(F=inline)["Resources"]["F"] == inline


def test_what_needs_another_asset_is_refused_by_name() -> None:
    layer = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": CODE}}
    unknown = function(Code={**CODE, "S3Key": "other.zip"})

    with pytest.raises(NotPublishableError, match=r"^L, U: only a function's code"):
        made(L=layer, F=function(), U=unknown)


def global_table(*replicas: dict[str, Any], **properties: Any) -> dict[str, Any]:
    keys = {"KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    return {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {**keys, **properties, "Replicas": list(replicas)}}


HERE = {"Region": {"Ref": "AWS::Region"}}
INDEX = {"IndexName": "byAge", "KeySchema": [{"AttributeName": "Age", "KeyType": "HASH"}]}


def test_a_table_of_one_region_becomes_one_that_the_repository_takes() -> None:
    whole = global_table(
        {
            **HERE,
            "DeletionProtectionEnabled": True,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "ReadOnDemandThroughputSettings": {"MaxReadRequestUnits": 10},
            "SSESpecification": {"KMSMasterKeyId": "key"},
            "Tags": [{"Key": "project", "Value": "lab"}],
        },
        SSESpecification={"SSEEnabled": True, "SSEType": "KMS"},
        WriteOnDemandThroughputSettings={"MaxWriteRequestUnits": 20},
        TableName="messages",
        GlobalSecondaryIndexes=[INDEX],
    )

    assert made(T={**whole, "DeletionPolicy": "Retain"})["Resources"]["T"] == {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "Properties": {
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "TableName": "messages",
            "GlobalSecondaryIndexes": [INDEX],
            "DeletionProtectionEnabled": True,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "OnDemandThroughput": {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20},
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "key"},
            "Tags": [{"Key": "project", "Value": "lab"}],
        },
    }


@pytest.mark.parametrize(
    "table",
    [
        global_table(HERE, {"Region": "eu-west-1"}),
        global_table(HERE, MultiRegionConsistency="STRONG"),
        global_table(HERE, GlobalSecondaryIndexes=[{**INDEX, "WriteOnDemandThroughputSettings": {}}]),
        global_table({**HERE, "GlobalTableSettingsReplicationMode": "ENABLED"}),
        {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {"Replicas": {"Fn::If": ["Two", [], []]}}},
    ],
)
def test_a_table_that_would_lose_something_stays_as_it_is(table: dict[str, Any]) -> None:
    assert made(T=table)["Resources"]["T"] == table
