"""What every section of the chapter has, whatever it is about."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from lab_stacks.section import Section
from tests.stacks.synthesis import Form, Synthesized, as_list, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

# AWS's service authorization reference names no resource for these, or only one that gets its name later.
ACTIONS_ON_ANY_RESOURCE = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
    "ecr:GetAuthorizationToken",
    "ecs:DiscoverPollEndpoint",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "logs:DescribeLogGroups",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutEncryptionConfig",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# Their names are inside a role, an API, a user pool, a cluster or what scales, where no other stack has any.
NAMED_INSIDE_ANOTHER = {
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::AppSync::DataSource",
    "AWS::AppSync::FunctionConfiguration",
    "AWS::Cognito::UserPoolGroup",
    "AWS::EKS::Addon",
    "AWS::IAM::Policy",
}
# Amazon EKS names these for the roles that it and its nodes act with, and changes them with its versions.
ASKED_FOR_BY_EKS = {
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonSSMManagedInstanceCore",
}


def test_every_resource_that_can_be_tagged_is(form: Form, template: dict[str, Any]) -> None:
    tags = {"project": "serverless-lab", "section": form.entry.id, "posture": form.posture.value}

    untagged = [
        logical_id
        for logical_id, resource in template["Resources"].items()
        if can_be_tagged(resource["Type"]) and not any(tags.items() <= found.items() for found in _tags_in(resource))
    ]

    assert untagged == []


def test_a_physical_name_is_one_that_a_user_can_change(synthesized: Synthesized) -> None:
    assert isinstance(synthesized.stack, Section)
    names = {
        value
        for resource in synthesized.template["Resources"].values()
        for name, value in resource.get("Properties", {}).items()
        if isinstance(value, str) and _names(name, resource["Type"])
    }

    # A name may be made of another: log groups are named by whose logs they keep.
    changeable = set(synthesized.stack.settings.values())
    assert [name for name in names if not changeable & {name.rstrip("."), *name.split("/")}] == []


def test_only_actions_that_know_no_resource_are_allowed_on_any(template: dict[str, Any]) -> None:
    allowed = {
        action
        for policy in resources(template, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }

    assert allowed <= ACTIONS_ON_ANY_RESOURCE


def test_no_role_has_a_policy_of_awss_but_where_the_service_asks_for_it(template: dict[str, Any]) -> None:
    attached = {
        name
        for role in resources(template, "AWS::IAM::Role").values()
        for name in re.findall(r"policy/([\w/-]+)", json.dumps(role.get("ManagedPolicyArns", [])))
    }

    assert attached <= ASKED_FOR_BY_EKS


def test_an_output_leads_to_every_dead_letter_queue(template: dict[str, Any]) -> None:
    outputs = {
        output["Value"]["Ref"]
        for name, output in template.get("Outputs", {}).items()
        if name.endswith("DeadLetterQueueUrl")
    }

    assert {*_dead_letter_queues_in(template)} <= outputs


def test_synthesis_looked_nothing_up(synthesized: Synthesized) -> None:
    manifest = json.loads((synthesized.assembly / "manifest.json").read_text())

    assert "missing" not in manifest
    assert manifest["artifacts"][synthesized.stack.artifact_id]["environment"] == "aws://unknown-account/unknown-region"


def can_be_tagged(kind: str) -> bool:
    """Say whether a type of resources has tags, be it deep inside, as a table's are in its replicas."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    # The tags inside a schedule are those of ECS tasks that it starts, and inside a deployment those of a stage.
    of_others = {"AWS::ApiGateway::Deployment", "AWS::Scheduler::Schedule"}
    return kind not in of_others and '"Tags"' in json.dumps([schema["properties"], schema.get("definitions", {})])


def _dead_letter_queues_in(part: Any) -> Iterator[str]:
    """Find what queues, topics, rules, buses, schedules and functions name to put what failed into."""
    match part:
        case {"DeadLetterConfig": named} | {"RedrivePolicy": named}:
            for arn in named.values():
                match arn:
                    case {"Fn::GetAtt": [queue, "Arn"]}:
                        yield queue
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _dead_letter_queues_in(inner)


def _tags_in(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "Tags":
                yield value if isinstance(value, dict) else {tag["Key"]: tag["Value"] for tag in value}
            else:
                yield from _tags_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from _tags_in(value)


def _names(name: str, kind: str) -> bool:
    # AWS::Logs::LogGroup has a LogGroupName.
    return name.endswith("Name") and kind.endswith(name.removesuffix("Name")) and kind not in NAMED_INSIDE_ANOTHER
