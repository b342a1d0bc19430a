"""The role that a function runs with: what it needs to run at all, and nothing of AWS's managed policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

if TYPE_CHECKING:
    from constructs import Construct


def execution_role(scope: Construct, construct_id: str, *, log_group: logs.ILogGroup, inside_vpc: bool) -> iam.Role:
    """Make a role that may write to its own log group, and, inside a VPC, attach network interfaces.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    if inside_vpc:
        # These calls of Amazon EC2 know no resource that could be named beforehand.
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:CreateNetworkInterface",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSubnets",
                    "ec2:UnassignPrivateIpAddresses",
                ],
                resources=["*"],
            )
        )
    return role
