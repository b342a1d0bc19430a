"""What of a service wakes a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_sns as sns

from lambda_src.alarms import alarm_above

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from lambda_src.options import Options

_MINUTE = Duration.minutes(1)


@dataclass(frozen=True)
class Thresholds:
    """When the alarms go off.

    :param server_errors: requests answered with 5xx in a minute, 0 or more; above it for 2 minutes is an alarm.
    :param latency: how long the slowest of a hundred requests may take, more than 0; above it for 3 minutes is one.
    """

    server_errors: int = 5
    latency: Duration = field(default_factory=lambda: Duration.seconds(1))

    def check(self, options: Options) -> None:
        """Note what is outside its range."""
        errors, latency = self.server_errors, self.latency.to_milliseconds()
        options.require(errors >= 0, "thresholds.server_errors", errors, "0 or more a minute")
        options.require(latency > 0, "thresholds.latency", f"{latency:g} ms", "more than 0")


def request_alarms(
    scope: Construct,
    load_balancer: elbv2.ApplicationLoadBalancer,
    *,
    thresholds: Thresholds,
    topic: sns.ITopic | None,
) -> list[cloudwatch.Alarm]:
    """Alarm on what callers get: server errors and latency.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    metrics = load_balancer.metrics
    summed: dict[str, Any] = {"period": _MINUTE, "statistic": cloudwatch.Stats.SUM}
    errors = cloudwatch.MathExpression(
        expression="FILL(tasks, 0) + FILL(balancer, 0)",
        using_metrics={
            "tasks": metrics.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, **summed),
            "balancer": metrics.http_code_elb(elbv2.HttpCodeElb.ELB_5XX_COUNT, **summed),
        },
        period=_MINUTE,
        label="Requests answered with 5xx",
    )
    return [
        alarm_above(
            scope,
            "ServerErrors",
            metric=errors,
            threshold=thresholds.server_errors,
            evaluation_periods=2,
            description="Requests were answered with 5xx. The service's log has what the tasks said; the access log "
            "has which requests, and whether a task answered at all.",
            topic=topic,
        ),
        alarm_above(
            scope,
            "Latency",
            metric=metrics.target_response_time(period=_MINUTE, statistic=cloudwatch.Stats.percentile(99)),
            threshold=thresholds.latency.to_milliseconds() / 1000,
            evaluation_periods=3,
            description="One request in a hundred takes too long. Look at the tasks' CPU and memory, and at what they "
            "wait for.",
            topic=topic,
        ),
    ]


def task_alarms(
    scope: Construct,
    service: ecs.FargateService,
    target_groups: Sequence[elbv2.ApplicationTargetGroup],
    *,
    topic: sns.ITopic | None,
) -> list[cloudwatch.Alarm]:
    """Alarm when the load balancer finds a task unwell, or when there are fewer tasks than there should be.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
    """
    unhealthy: dict[str, cloudwatch.IMetric] = {
        f"group{number}": group.metrics.unhealthy_host_count(period=_MINUTE, statistic=cloudwatch.Stats.MAXIMUM)
        for number, group in enumerate(target_groups)
    }
    counts: dict[str, cloudwatch.IMetric] = {
        name: cloudwatch.Metric(
            namespace="ECS/ContainerInsights",
            metric_name=f"{name.title()}TaskCount",
            dimensions_map={"ClusterName": service.cluster.cluster_name, "ServiceName": service.service_name},
            period=_MINUTE,
            statistic=cloudwatch.Stats.MINIMUM,
        )
        for name in ("desired", "running")
    }
    return [
        alarm_above(
            scope,
            "UnhealthyHosts",
            metric=cloudwatch.MathExpression(
                expression=" + ".join(f"FILL({name}, 0)" for name in unhealthy),
                using_metrics=unhealthy,
                period=_MINUTE,
                label="Tasks that fail the health check",
            ),
            threshold=0,
            evaluation_periods=3,
            description="The load balancer asks a task for its health, and gets no good answer. Amazon ECS replaces "
            "it; if the next one fails too, its log says why.",
            topic=topic,
        ),
        alarm_above(
            scope,
            "BelowDesired",
            metric=cloudwatch.MathExpression(
                expression="desired - running", using_metrics=counts, period=_MINUTE, label="Tasks that are missing"
            ),
            threshold=0,
            evaluation_periods=5,
            description="Fewer tasks run than should. The service's events say why none starts: no image, no "
            "capacity of Fargate Spot, no address in the subnets, or a container that ends at once.",
            topic=topic,
        ),
    ]
