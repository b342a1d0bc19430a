"""Fargate profiles of the emulated EKS answer as AWS does, and go with their cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from .conftest import Lab

ROLE = "arn:aws:iam::000000000000:role/eks-fargate"
PROFILE = {
    "clusterName": "emulated",
    "fargateProfileName": "web",
    "podExecutionRoleArn": ROLE,
    "subnets": ["subnet-1"],
    "selectors": [{"namespace": "web", "labels": {"on": "fargate"}}],
}


@pytest.fixture(scope="module", autouse=True)
def emulator(lab: Lab) -> None:
    lab("up", "ecr")


@pytest.fixture
def eks(session: boto3.Session) -> Iterator[Any]:
    iam, client = session.client("iam"), session.client("eks")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:*"}]}
    role = iam.create_role(RoleName="eks-emulated", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    client.create_cluster(name="emulated", roleArn=role["Arn"], resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    yield client
    client.delete_cluster(name="emulated")
    iam.delete_role(RoleName="eks-emulated")


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return str(error.value.response["Error"]["Code"])


def test_a_profile_is_made_described_listed_and_deleted(eks: Any) -> None:
    made = eks.create_fargate_profile(**PROFILE)["fargateProfile"]

    assert eks.list_fargate_profiles(clusterName="emulated")["fargateProfileNames"] == ["web"]
    described = eks.describe_fargate_profile(clusterName="emulated", fargateProfileName="web")["fargateProfile"]
    assert described == made
    assert (described["status"], described["selectors"]) == ("ACTIVE", PROFILE["selectors"])
    gone = eks.delete_fargate_profile(clusterName="emulated", fargateProfileName="web")["fargateProfile"]
    assert gone["status"] == "DELETING"
    assert eks.list_fargate_profiles(clusterName="emulated")["fargateProfileNames"] == []


def test_what_aws_refuses_is_refused(eks: Any) -> None:
    there = {"clusterName": "emulated", "fargateProfileName": "none"}
    assert refused(eks.describe_fargate_profile, **there) == "ResourceNotFoundException"
    assert refused(eks.delete_fargate_profile, **there) == "ResourceNotFoundException"
    assert refused(eks.create_fargate_profile, **{**PROFILE, "clusterName": "other"}) == "ResourceNotFoundException"
    assert refused(eks.create_fargate_profile, **{**PROFILE, "selectors": []}) == "InvalidParameterException"
    eks.create_fargate_profile(**PROFILE)
    assert refused(eks.create_fargate_profile, **PROFILE) == "ResourceInUseException"


def test_hybrid_nodes_have_a_type_of_access_entry(eks: Any) -> None:
    entry = eks.create_access_entry(clusterName="emulated", principalArn=ROLE, type="HYBRID_LINUX")["accessEntry"]

    assert entry["type"] == "HYBRID_LINUX"
