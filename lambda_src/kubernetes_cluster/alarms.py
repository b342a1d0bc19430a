"""What somebody should know of a cluster's control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from lambda_src.alarms import alarm_above

if TYPE_CHECKING:
    from aws_cdk import aws_eks_v2 as eks
    from aws_cdk import aws_sns as sns


def cluster_alarms(cluster: eks.Cluster, *, topic: sns.ITopic | None) -> list[cloudwatch.Alarm]:
    """Alarm on the API server's own errors, and on pods that find no place.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/cloudwatch.html
    """
    return [
        alarm_above(
            cluster,
            "ApiServerErrors",
            metric=_metric(cluster, "apiserver_request_total_5XX", "Sum"),
            threshold=10,
            evaluation_periods=3,
            description="The API server of the cluster answers with errors of its own: look at the logs of type api.",
            topic=topic,
        ),
        alarm_above(
            cluster,
            "PodsWithoutPlace",
            metric=_metric(cluster, "scheduler_pending_pods_UNSCHEDULABLE", "Maximum"),
            threshold=0,
            evaluation_periods=3,
            description="Pods wait for a machine that nobody gives them: is their namespace in the Fargate profile, "
            "and is what they ask for within its sizes? `kubectl describe pod` says why.",
            topic=topic,
        ),
    ]


def _metric(cluster: eks.Cluster, name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/EKS",
        metric_name=name,
        dimensions_map={"ClusterName": cluster.cluster_name},
        period=Duration.minutes(5),
        statistic=statistic,
    )
