"""The role of hosts outside AWS: who takes it, and how little it is good for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from lambda_src.external_cluster.construct import ExternalCluster
from lambda_src.managed_instance_role.construct import ManagedInstanceRole
from tests.stacks.synthesis import only, permissions, resources

if TYPE_CHECKING:
    import aws_cdk as cdk


@pytest.fixture
def template(stack: cdk.Stack) -> dict[str, Any]:
    ManagedInstanceRole(stack, "HostRole", cluster=ExternalCluster(stack, "Cluster"))
    return dict(Template.from_stack(stack).to_json())


def test_systems_manager_alone_takes_it_and_for_this_account(template: dict[str, Any]) -> None:
    [statement] = only(template, "AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "ssm.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    arn = json.dumps(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert all(part in arn for part in (":ssm:", "AWS::Region", "AWS::AccountId"))


def test_a_host_joins_this_cluster_and_makes_none(template: dict[str, Any]) -> None:
    [role] = resources(template, "AWS::IAM::Role")
    permitted = permissions(template, role)
    [cluster] = resources(template, "AWS::ECS::Cluster")

    assert permitted["ecs:RegisterContainerInstance"] == {"Fn::GetAtt": [cluster, "Arn"]}
    assert "container-instance/" in json.dumps(permitted["ecs:Poll"])
    assert cluster in json.dumps(permitted["ecs:Poll"])
    assert "ecs:CreateCluster" not in permitted


def test_a_host_reads_no_parameter_no_image_and_no_log(template: dict[str, Any]) -> None:
    [role] = resources(template, "AWS::IAM::Role")
    permitted = permissions(template, role)

    assert not [action for action in permitted if action.startswith(("ssm:GetParameter", "ecr:", "logs:", "s3:"))]
    assert {action for action, resource in permitted.items() if resource == "*"} == {
        "ecs:DiscoverPollEndpoint",
        *(action for action in permitted if action.startswith(("ec2messages:", "ssmmessages:"))),
    }


def test_no_policy_of_aws_is_attached(template: dict[str, Any]) -> None:
    assert "ManagedPolicyArns" not in only(template, "AWS::IAM::Role")
