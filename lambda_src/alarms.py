"""Alarms as every block makes them: each tells a topic, or says why it tells nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from constructs import Construct


def alarm_above(
    scope: Construct,
    construct_id: str,
    *,
    metric: cloudwatch.IMetric,
    threshold: float,
    description: str,
    topic: sns.ITopic | None,
    evaluation_periods: int = 1,
) -> cloudwatch.Alarm:
    """Alarm when ``metric`` is above ``threshold`` for ``evaluation_periods`` of its periods.

    No data is no alarm: queues and functions that nobody uses send none.

    :param description: what has happened and what to look at, for the person who is woken.
    :param topic: told when the alarm goes off and when it is over.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    alarm = cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        threshold=threshold,
        evaluation_periods=evaluation_periods,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=description,
    )
    if topic:
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
    else:
        acknowledge(
            alarm,
            "NIST.800.53.R5-CloudWatchAlarmAction",
            "HIPAA.Security-CloudWatchAlarmAction",
            reason="No alarm_topic was given: the alarm is seen in CloudWatch, and a rule of EventBridge can "
            "act on it. Who should be woken is for the account's owner to say, with alarm_topic.",
        )
    return alarm
