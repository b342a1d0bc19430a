"""What is seen of a cluster's queries and of its hosts: Database Insights, and Enhanced Monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import ArnFormat, Duration, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from constructs import Construct

_LOG_GROUP = "RDSOSMetrics"


def insights(
    scope: Construct, construct_id: str, *, posture: Posture, encryption_key: kms.IKey | None
) -> dict[str, Any]:
    """Make the options with which the CDK's cluster is observed.

    Standard mode keeps a week of database load, at no cost; ``PRODUCTION`` has the advanced mode, which keeps 15 months
    and has a price for each vCPU or ACU. There the hosts are measured every minute too, by a role that may write that
    log and nothing else, where AWS's managed policy permits every log group whose name begins with RDS. That log is the
    account's, which no stack deletes: so ``LAB``, which leaves nothing behind, does without.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DatabaseInsights.html
    """
    observed: dict[str, Any] = {
        "database_insights_mode": rds.DatabaseInsightsMode.STANDARD,
        "enable_performance_insights": True,
        "performance_insight_retention": rds.PerformanceInsightRetention.DEFAULT,
        "performance_insight_encryption_key": encryption_key,
    }
    if posture is Posture.PRODUCTION:
        observed |= {
            "database_insights_mode": rds.DatabaseInsightsMode.ADVANCED,
            "performance_insight_retention": rds.PerformanceInsightRetention.MONTHS_15,
            "monitoring_interval": Duration.seconds(60),
            "monitoring_role": _monitoring_role(scope, f"{construct_id}MonitoringRole"),
        }
    return observed


def _monitoring_role(scope: Construct, construct_id: str) -> iam.Role:
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("monitoring.rds.amazonaws.com"))
    stack = Stack.of(scope)
    group = stack.format_arn(
        service="logs", resource="log-group", resource_name=_LOG_GROUP, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    streams = f"{group}:log-stream:*"
    role.add_to_policy(
        iam.PolicyStatement(actions=["logs:CreateLogGroup", "logs:PutRetentionPolicy"], resources=[group])
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"],
            resources=[streams],
        )
    )
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::{_as_the_tool_writes(streams, stack)}]",
        reason="Amazon RDS names a log stream by its instance's resource id, which nobody knows before it is made.",
    )
    acknowledge_inline_policy(role)
    return role


def _as_the_tool_writes(arn: str, stack: Stack) -> str:
    """Name what only CloudFormation knows."""
    for name, value in (("Partition", stack.partition), ("Region", stack.region), ("AccountId", stack.account)):
        if Token.is_unresolved(value):
            arn = arn.replace(value, f"<AWS::{name}>")
    return arn
