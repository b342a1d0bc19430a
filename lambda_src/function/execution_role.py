"""The role that a function runs with: what it needs to run at all, and nothing of AWS's managed policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy

if TYPE_CHECKING:
    from constructs import Construct


_ATTACHING = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def execution_role(scope: Construct, construct_id: str, *, log_group: logs.ILogGroup, inside_vpc: bool) -> iam.Role:
    """Make a role that may write to its own log group, and, inside a VPC, attach network interfaces.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    if inside_vpc:
        _allow_network_interfaces(role)
    acknowledge_inline_policy(role)
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        reason="Traces sent to AWS X-Ray belong to no resource"
        + (", and the network interfaces that AWS Lambda attaches have no name beforehand." if inside_vpc else ".")
        + " Whoever grants the role more has to name the resource: this acknowledgement would cover that too.",
    )
    return role


def _allow_network_interfaces(role: iam.Role) -> None:
    policy = iam.Policy(
        role,
        "NetworkInterfaces",
        roles=[role],
        statements=[
            iam.PolicyStatement(
                actions=_ATTACHING,
                resources=["*"],
            ),
            # They are for AWS Lambda itself, whose calls do not carry the function's ARN; the code's own calls do.
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=_ATTACHING,
                resources=["*"],
                conditions={"ArnLike": {"lambda:SourceFunctionArn": "arn:*:lambda:*:*:function:*"}},
            ),
        ],
    )
    acknowledge(
        policy,
        "CKV_AWS_111",
        reason="These are the calls that AWS Lambda makes with this role to attach a function to a VPC: the network "
        "interfaces have no name before they are made. The function's own code is denied them.",
    )
