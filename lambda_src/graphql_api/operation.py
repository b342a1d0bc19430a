"""How an API is watched: the logs of what failed, and alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from lambda_src.acknowledged import acknowledge_inline_policy
from lambda_src.alarms import alarm_above
from lambda_src.log_group import log_group

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    from lambda_src.posture import Posture


def request_logs(
    api: appsync.GraphqlApi, role: iam.Role, *, posture: Posture, encryption_key: kms.IKey | None
) -> logs.LogGroup:
    """Make the log group that AppSync would make itself, and which would never expire; let ``role`` write to it.

    Source: https://docs.aws.amazon.com/appsync/latest/devguide/monitoring.html
    """
    group = log_group(api, "Logs", posture=posture, encryption_key=encryption_key)
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)  # noqa: S101 - what an L2 of CloudWatch Logs is made of
    resource.log_group_name = f"/aws/appsync/apis/{api.api_id}"
    # A policy apart from the role: the API needs the role, and the name of its logs needs the API.
    policy = iam.Policy(
        api,
        "WriteLogs",
        roles=[role],
        statements=[
            iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn])
        ],
    )
    acknowledge_inline_policy(policy)
    return group


def metrics() -> appsync.EnhancedMetricsConfig:
    """Measure every operation, and those resolvers and data sources that ask for it: all of ours do."""
    return appsync.EnhancedMetricsConfig(
        data_source_level_metrics_behavior=appsync.DataSourceLevelMetricsBehavior.PER_DATA_SOURCE_METRICS,
        operation_level_metrics_config=appsync.OperationLevelMetricsConfig.ENABLED,
        resolver_level_metrics_behavior=appsync.ResolverLevelMetricsBehavior.PER_RESOLVER_METRICS,
    )


def alarms(api: appsync.GraphqlApi, topic: sns.ITopic | None) -> list[cloudwatch.Alarm]:
    """Alarm when requests fail on the API's side, and when most of them are slow."""

    def metric(name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/AppSync",
            metric_name=name,
            dimensions_map={"GraphQLAPIId": api.api_id},
            statistic=statistic,
            period=Duration.minutes(1),
        )

    return [
        alarm_above(
            api,
            "ServerErrors",
            metric=metric("5XXError", "Sum"),
            threshold=0,
            description="Requests failed on the API's side: its logs say which, and in which resolver.",
            topic=topic,
        ),
        alarm_above(
            api,
            "Slow",
            metric=metric("Latency", "p90"),
            threshold=5000,
            evaluation_periods=5,
            description="One request in ten takes over 5 s, for five minutes: X-Ray shows which data source is slow.",
            topic=topic,
        ),
    ]
