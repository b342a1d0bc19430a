"""Delivers the logs of an event bus to a log group: the bus names their level, and these say where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Fn
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from lambda_src.log_group import log_group

if TYPE_CHECKING:
    from lambda_src.posture import Posture

# A level brings the logs of those before it.
_LEVELS = [events.Level.ERROR, events.Level.INFO, events.Level.TRACE]


def deliver_logs(
    bus: events.EventBus, *, name: str, level: events.Level, posture: Posture, encryption_key: kms.IKey | None
) -> logs.LogGroup:
    """Make a log group, and a delivery to it for each kind of log that ``level`` brings.

    :param name: what the names of the deliveries begin with, 50 characters at most.

    CloudWatch Logs lets the delivery service into the log group by itself when the delivery is made.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-logs.html
    """
    group = log_group(bus, "Logs", posture=posture, encryption_key=encryption_key)
    destination = logs.CfnDeliveryDestination(
        bus,
        "LogDestination",
        name=Fn.join("-", [name, "logs"]),
        destination_resource_arn=group.log_group_arn,
    )
    for brought in _LEVELS[: _LEVELS.index(level) + 1]:
        source = logs.CfnDeliverySource(
            bus,
            f"{brought.value.capitalize()}LogSource",
            name=Fn.join("-", [name, brought.value.lower()]),
            log_type=f"{brought.value}_LOGS",
            resource_arn=bus.event_bus_arn,
        )
        logs.CfnDelivery(
            bus,
            f"{brought.value.capitalize()}LogDelivery",
            delivery_source_name=source.ref,
            delivery_destination_arn=destination.attr_arn,
        )
    return group
