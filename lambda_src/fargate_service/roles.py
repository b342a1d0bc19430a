"""The two roles of a task: what its container may do, and what starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy

if TYPE_CHECKING:
    from constructs import Construct


def task_role(scope: Construct, construct_id: str, *, description: str) -> iam.Role:
    """Make a role that the tasks of this account and region can have, and nothing else can.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    stack = Stack.of(scope)
    tasks = stack.format_arn(service="ecs", resource="*")
    role = iam.Role(
        scope,
        construct_id,
        description=description,
        assumed_by=iam.ServicePrincipal(
            "ecs-tasks.amazonaws.com",
            conditions={"ArnLike": {"aws:SourceArn": tasks}, "StringEquals": {"aws:SourceAccount": stack.account}},
        ),
    )
    acknowledge_inline_policy(role)
    return role


def acknowledge_registry_token(role: iam.Role) -> None:
    """Say why the role that pulls from Amazon ECR names no resource in one of its permissions."""
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        reason="ecr:GetAuthorizationToken is a permission on no resource: the token is the registry's, and what it "
        "opens are the repositories that the other statements name.",
    )


def load_balancer_role(scope: Construct, construct_id: str) -> iam.Role:
    """Make the role with which Amazon ECS moves requests between two target groups during a deployment.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
    """
    stack = Stack.of(scope)
    role = iam.Role(
        scope,
        construct_id,
        description="Amazon ECS moves requests from the old tasks to the new ones",
        assumed_by=iam.ServicePrincipal(
            "ecs.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
        ),
    )
    acknowledge_inline_policy(role)
    return role
