"""The alarms of a service on hosts outside AWS: tasks that should run and do not, and memory that gets short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from lambda_src.alarms import alarm_above

if TYPE_CHECKING:
    from aws_cdk import aws_ecs as ecs
    from aws_cdk import aws_sns as sns
    from constructs import Construct

_PERIOD = Duration.minutes(1)


def service_alarms(
    scope: Construct, service: ecs.ExternalService, *, cluster_name: str, topic: sns.ITopic | None
) -> list[cloudwatch.Alarm]:
    """Make the alarms of a service: tasks that are missing, and memory that gets short.

    :param scope: what they are made in.
    :param service: which they are of.
    :param cluster_name: of the service's cluster, by which Container Insights counts tasks.
    :param topic: told when one goes off, and when it is over; nobody is without.
    """
    dimensions = {"ClusterName": cluster_name, "ServiceName": service.service_name}

    def tasks(metric_name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="ECS/ContainerInsights",
            metric_name=metric_name,
            dimensions_map=dimensions,
            statistic="Average",
            period=_PERIOD,
        )

    missing = cloudwatch.MathExpression(
        expression="desired - running",
        label="Tasks missing",
        using_metrics={"desired": tasks("DesiredTaskCount"), "running": tasks("RunningTaskCount")},
        period=_PERIOD,
    )
    return [
        alarm_above(
            scope,
            "TasksMissing",
            metric=missing,
            threshold=0,
            evaluation_periods=5,
            description="Tasks that should run do not, for five minutes: `lab anywhere list` says which hosts are "
            "connected, and the service's events why a task was not placed.",
            topic=topic,
        ),
        alarm_above(
            scope,
            "MemoryShort",
            metric=service.metric_memory_utilization(period=_PERIOD),
            threshold=90,
            evaluation_periods=5,
            description="The tasks use more than 90% of their memory for five minutes: above 100% a container is "
            "ended. Raise memory_limit_mib, or find what it keeps.",
            topic=topic,
        ),
    ]
