"""The cluster that a service's tasks are counted in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy
from lambda_src.log_group import log_group
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from constructs import Construct


def cluster_of(
    scope: Construct,
    construct_id: str,
    *,
    vpc: ec2.IVpc,
    shells_of: iam.Role | None,
    encryption_key: kms.IKey | None,
    posture: Posture,
) -> ecs.Cluster:
    """Make a cluster for Fargate and Fargate Spot, with Container Insights.

    :param shells_of: role of the tasks that people may open a shell in, whose sessions are then logged.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-container-insights.html
    """
    every_task = posture is Posture.PRODUCTION
    return ecs.Cluster(
        scope,
        construct_id,
        vpc=vpc,
        container_insights_v2=ecs.ContainerInsights.ENHANCED if every_task else ecs.ContainerInsights.ENABLED,
        enable_fargate_capacity_providers=True,
        execute_command_configuration=_logged(scope, shells_of, encryption_key, posture) if shells_of else None,
    )


def _logged(
    scope: Construct, role: iam.Role, encryption_key: kms.IKey | None, posture: Posture
) -> ecs.ExecuteCommandConfiguration:
    """Log the sessions, by the role of the tasks themselves.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
    """
    group = log_group(scope, "SessionLogs", posture=posture, encryption_key=encryption_key)
    stack = Stack.of(scope)
    partition, region, account = (
        f"<AWS::{pseudo}>" if Token.is_unresolved(value) else value
        for pseudo, value in (("Partition", stack.partition), ("Region", stack.region), ("AccountId", stack.account))
    )
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)  # noqa: S101 - for mypy: it is what the CDK makes
    streams = f"arn:{partition}:logs:{region}:{account}:log-group:<{stack.get_logical_id(resource)}>:*"
    acknowledge_inline_policy(role)
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        f"AwsSolutions-IAM5[Resource::{streams}]",
        reason="People asked for a shell in the container: its channels belong to Session Manager and are no resources "
        "that a policy could name, nor are log streams that every session makes. Who may open one is a matter of "
        "ecs:ExecuteCommand.",
    )
    return ecs.ExecuteCommandConfiguration(
        kms_key=encryption_key,
        logging=ecs.ExecuteCommandLogging.OVERRIDE,
        log_configuration=ecs.ExecuteCommandLogConfiguration(
            cloud_watch_log_group=group, cloud_watch_encryption_enabled=encryption_key is not None
        ),
    )
