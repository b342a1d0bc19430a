"""Which requests of an API are traced, and in which groups their traces are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_src.sampling_rule.construct import SamplingRule
from lambda_src.trace_group.construct import TraceGroup

if TYPE_CHECKING:
    from lab_stacks.section import Section

# Rules are the whole account's: these are for stages of APIs alone, and each for the one that it names.
_STAGE = "AWS::ApiGateway::Stage"


def add_sampling_rules(section: Section, *, name: str, service: str) -> None:
    """Trace every order, hardly any health check, and some of what else comes to this API.

    By their methods: API Gateway knows no rules by the path of a URL.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html

    :param name: what the rules' names begin with.
    :param service: the API's stage, as traces name it.
    """
    SamplingRule(
        section,
        "OrdersSampling",
        rule_name=f"{name}-orders",
        priority=100,
        fixed_rate=1,
        service_name=service,
        service_type=_STAGE,
        http_method="POST",
    )
    SamplingRule(
        section,
        "HealthSampling",
        rule_name=f"{name}-health",
        priority=200,
        fixed_rate=0.01,
        service_name=service,
        service_type=_STAGE,
        http_method="GET",
    )
    SamplingRule(
        section,
        "DefaultSampling",
        rule_name=f"{name}-default",
        priority=9000,
        reservoir_size=1,
        fixed_rate=0.05,
        service_name=service,
        service_type=_STAGE,
    )


def add_groups(section: Section, *, service: str) -> None:
    """Group all traces of the API, those whose caller saw something go wrong, and those that took long."""
    orders = TraceGroup(
        section,
        "OrdersGroup",
        group_name=section.setting("orders_group", "orders"),
        filter_expression=f'service("{service}")',
    )
    failed = TraceGroup(
        section,
        "FailedOrdersGroup",
        group_name=section.setting("failed_orders_group", "failed-orders"),
        filter_expression=f'service("{service}") AND (error OR fault OR throttle)',
    )
    slow = TraceGroup(
        section,
        "SlowOrdersGroup",
        group_name=section.setting("slow_orders_group", "slow-orders"),
        filter_expression=f'service("{service}") AND responsetime > 2',
    )
    section.output("OrdersGroupName", orders.group_name)
    section.output("FailedOrdersGroupName", failed.group_name)
    section.output("SlowOrdersGroupName", slow.group_name)
