"""A group of traces: those that a filter expression finds, counted, mapped and watched together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Token
from aws_cdk import aws_xray as xray

from lambda_src.options import checked
from lambda_src.trace_group.filter_expression import FilterExpressionError, RootCauseError, parse

if TYPE_CHECKING:
    from constructs import Construct


class TraceGroup(xray.CfnGroup):
    """The traces that a filter expression finds: a service graph, metrics and insights of their own.

    Insights watch the faults of the group's services: what deviates from the usual becomes an insight, with the service
    that it began at, and an event on the account's default event bus. A group holds traces from its creation on.

    :param group_name: what it is found by, 1 to 32 characters, unique in the account and region; not ``Default``,
        which is all traces.
    :param filter_expression: which traces, such as ``service("Orders/v1") { fault }``.
    :param insights: whether X-Ray looks for anomalies in them, at a price for each trace that it reads.
    :param notifications: whether an insight that begins, changes or ends is an event; needs ``insights``.
    :raises ValueError: naming every option outside its range, and the mistake in the filter expression.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-groups.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        filter_expression: str,
        insights: bool = True,
        notifications: bool = True,
    ) -> None:
        """Check the options, then make the group."""
        with checked(TraceGroup, scope, construct_id) as options:
            options.require(1 <= len(group_name) <= 32, "group_name", group_name, "1 to 32 characters")
            options.require(group_name != "Default", "group_name", group_name, "that is X-Ray's own, of all traces")
            mistake = _mistake_in(filter_expression)
            options.require(mistake is None, "filter_expression", "wrong", mistake or "")
            options.require(insights or not notifications, "notifications", "on without insights", "leave out one")
        super().__init__(
            scope,
            construct_id,
            group_name=group_name,
            filter_expression=filter_expression,
            insights_configuration=xray.CfnGroup.InsightsConfigurationProperty(
                insights_enabled=insights, notifications_enabled=notifications
            ),
        )


def _mistake_in(expression: str) -> str | None:
    """Say what is wrong, and point at it below the expression."""
    if Token.is_unresolved(expression):
        return None
    try:
        parse(expression)
    except RootCauseError:
        return None  # X-Ray finds them out, if the local one does not.
    except FilterExpressionError as mistake:
        return str(mistake).replace("\n", "\n  ")
    return None
