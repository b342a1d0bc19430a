"""The roles of a service on Fargate: those of its tasks, and the one with which Amazon ECS moves requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct


def role_of_tasks(scope: Construct, construct_id: str, *, description: str) -> iam.Role:
    """Make a role that the tasks of this account and region can have, and nothing else can.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    stack = Stack.of(scope)
    tasks = stack.format_arn(service="ecs", resource="*")
    return iam.Role(
        scope,
        construct_id,
        description=description,
        assumed_by=iam.ServicePrincipal(
            "ecs-tasks.amazonaws.com",
            conditions={"ArnLike": {"aws:SourceArn": tasks}, "StringEquals": {"aws:SourceAccount": stack.account}},
        ),
    )


def role_of_deployments(
    scope: Construct, construct_id: str, *, listener: str, rule: str, target_groups: Sequence[str]
) -> iam.Role:
    """Make the role with which Amazon ECS moves requests between two groups of tasks, given by their ARNs.

    It is AWS's AmazonECSInfrastructureRolePolicyForLoadBalancers, for this load balancer alone.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
    """
    role = iam.Role(
        scope,
        construct_id,
        description="Amazon ECS moves requests from the old tasks to the new ones",
        assumed_by=iam.ServicePrincipal(
            "ecs.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
        ),
    )
    balancing = "elasticloadbalancing"
    described = [f"{balancing}:Describe{what}" for what in ("Listeners", "Rules", "TargetGroups", "TargetHealth")]
    changed = [f"{balancing}:{action}" for action in ("RegisterTargets", "DeregisterTargets")]
    for actions, resources in (
        (described, ["*"]),
        (changed, list(target_groups)),
        ([f"{balancing}:ModifyListener"], [listener]),
        ([f"{balancing}:ModifyRule"], [rule]),
    ):
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
    acknowledge_inline_policy(role)
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        reason="To describe listeners, rules and target groups is a permission on no resource. What changes them names "
        "the one listener, its rule and its two groups.",
    )
    return role
