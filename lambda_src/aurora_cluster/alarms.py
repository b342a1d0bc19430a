"""What somebody should know of a cluster: it is at its limit, it never pauses, or its readers lag behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration

from lambda_src.alarms import alarm_above

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_rds as rds
    from aws_cdk import aws_sns as sns

_NEAR_MAXIMUM = 90  # percent
_AWAKE_HOURS = 24
_LAG_MILLISECONDS = 1_000


def of_cluster(
    cluster: rds.DatabaseCluster, *, scales: bool, pauses: bool, reads: bool, topic: sns.ITopic | None
) -> list[cloudwatch.Alarm]:
    """Make the alarms that the cluster has a use for.

    :param cluster: which they are of.
    :param scales: whether it has serverless instances.
    :param pauses: whether they can pause.
    :param reads: whether it has readers.
    :param topic: told when one goes off, and when it is over; nobody is without.
    """
    made = [near_maximum(cluster, topic)] if scales else []
    if pauses:
        made.append(never_pauses(cluster, topic))
    if reads:
        made.append(readers_lag(cluster, topic))
    return made


def near_maximum(cluster: rds.DatabaseCluster, topic: sns.ITopic | None) -> cloudwatch.Alarm:
    """Tell when an instance needs over 90 % of the maximum capacity for a quarter of an hour.

    :param cluster: with serverless instances.
    :param topic: as of ``of_cluster``.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
    """
    return alarm_above(
        cluster,
        "NearMaximumCapacity",
        metric=cluster.metric_acu_utilization(statistic="Maximum", period=Duration.minutes(5)),
        threshold=_NEAR_MAXIMUM,
        evaluation_periods=3,
        description=f"An instance has been above {_NEAR_MAXIMUM} % of the maximum capacity for 15 minutes, and will "
        "slow down instead of scaling: raise the maximum, or find the query that needs so much.",
        topic=topic,
    )


def never_pauses(cluster: rds.DatabaseCluster, topic: sns.ITopic | None) -> cloudwatch.Alarm:
    """Tell when a cluster that may pause has not done so for a whole day.

    :param cluster: with a minimum capacity of 0.
    :param topic: as of ``of_cluster``.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
    """
    return alarm_above(
        cluster,
        "NeverPauses",
        metric=cluster.metric_serverless_database_capacity(statistic="Minimum", period=Duration.hours(1)),
        threshold=0,
        evaluation_periods=_AWAKE_HOURS,
        description=f"The minimum capacity is 0, and nothing has paused for {_AWAKE_HOURS} hours. Look for a "
        "connection that somebody keeps open (DatabaseConnections, pg_stat_activity), for logical replication, and "
        "for the reason in the log named instance.",
        topic=topic,
    )


def readers_lag(cluster: rds.DatabaseCluster, topic: sns.ITopic | None) -> cloudwatch.Alarm:
    """Tell when a reader has been over a second behind the writer for five minutes.

    :param cluster: with readers.
    :param topic: as of ``of_cluster``.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
    """
    return alarm_above(
        cluster,
        "ReadersLag",
        metric=cluster.metric("AuroraReplicaLagMaximum", statistic="Maximum", period=Duration.minutes(1)),
        threshold=_LAG_MILLISECONDS,
        evaluation_periods=5,
        description=f"A reader has been over {_LAG_MILLISECONDS:,} ms behind the writer for five minutes: what was "
        "written may not be read yet. Look for a large write, and for a reader that is smaller than the writer.",
        topic=topic,
    )
