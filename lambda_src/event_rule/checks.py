"""What EventBridge permits a rule, option by option and pair by pair."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Token
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs

from lambda_src.event_rule.aws_events import API_CALL
from lambda_src.event_rule.matching import matches
from lambda_src.event_rule.operators import only_cloudformation_knows
from lambda_src.event_rule.pattern import problems
from lambda_src.queue import check_receiver, closed_key, is_open_to_services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_src.options import Options

_RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?!1 )[1-9]\d* (?:minutes|hours|days))\)")
_CRON = re.compile(r"cron\(\S+( \S+){5}\)")


def check(
    options: Options,
    *,
    event_pattern: Any,
    schedule: events.Schedule | Duration | None,
    event_bus: events.IEventBus | None,
    read_only_calls: bool,
    enabled: bool,
    targets: int,
    rule_name: str | None,
    dead_letter_queue: sqs.IQueue | None,
    retry_attempts: int,
    max_event_age: float,
) -> None:
    """Note every option that is outside its range, and every pair that excludes each other; times are in seconds.

    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    """
    if event_pattern is not None:
        options.problems += [f"event_pattern at {problem}" for problem in problems(event_pattern)]
    if schedule is None:
        options.require(event_pattern is not None, "event_pattern", None, "give what to wait for: it, or a schedule")
    else:
        _check_schedule(options, schedule)
        options.require(
            event_bus is None,
            "event_bus",
            "given with a schedule",
            "EventBridge runs schedules on the default bus alone; leave event_bus out, or use EventBridge Scheduler",
        )
    if read_only_calls:
        _check_read_only_calls(options, event_pattern, event_bus, enabled=enabled)
    options.require(1 <= targets <= 5, "targets", f"{targets} of them", "1 to 5; share more out over several rules")
    named = rule_name is None or re.fullmatch(r"[A-Za-z0-9._-]{1,64}", rule_name) is not None
    options.require(named, "rule_name", rule_name, "1 to 64 letters, digits, and any of ._-")
    options.require(0 <= retry_attempts <= 185, "retry_attempts", retry_attempts, "0 to 185")
    options.require(60 <= max_event_age <= 86_400, "max_event_age", f"{max_event_age:,} s", "60 s to 24 hours")
    check_receiver(options, dead_letter_queue, service="EventBridge")


def check_targets(options: Options, resources: Iterable[Any]) -> None:
    """Note every target that EventBridge cannot reach; known when the CDK has bound it to the rule."""
    for number, resource in enumerate(resources):
        if isinstance(resource, events.ApiDestination):
            for endpoint in _endpoints(resource):
                check_endpoint(options, f"endpoint of targets[{number}]", endpoint)
        elif isinstance(resource, sqs.Queue):
            options.require(
                is_open_to_services(resource),
                f"targets[{number}]",
                "a queue encrypted by AWS's key in KMS",
                closed_key("EventBridge"),
            )


def check_endpoint(options: Options, option: str, endpoint: str | None) -> None:
    """Note an endpoint that an API destination cannot call; to give none at all is no mistake."""
    # How it begins is known here, even where only CloudFormation knows the rest.
    other = re.match(r"(?!https:)[a-z]+://", endpoint or "", re.IGNORECASE)
    options.require(
        not endpoint or re.match(r"https://[^/]", endpoint) is not None,
        option,
        f"{other[0]}..." if other and Token.is_unresolved(endpoint) else endpoint,
        "EventBridge calls https alone: give a URL such as https://example.com/orders",
    )


def _check_schedule(options: Options, schedule: events.Schedule | Duration) -> None:
    if isinstance(schedule, Duration):
        seconds = schedule.to_seconds()
        whole = seconds >= 60 and seconds % 60 == 0
        options.require(whole, "schedule", f"every {seconds:,} s", "a rate of whole minutes, one or more")
        return
    expression = schedule.expression_string
    permitted = "rate(1 minute), rate(5 minutes), or cron() with six fields, such as cron(0 8 ? * MON-FRI *)"
    options.require(bool(_RATE.fullmatch(expression) or _CRON.fullmatch(expression)), "schedule", expression, permitted)


def _check_read_only_calls(
    options: Options, event_pattern: Any, event_bus: events.IEventBus | None, *, enabled: bool
) -> None:
    partner = event_bus is not None and event_bus.event_bus_name.startswith("aws.partner/")
    reasons = {
        "the rule is not enabled, and gets no event at all": not enabled,
        "the bus is a partner's, where no event of AWS arrives": partner,
        "without an event_pattern the rule waits for no event": event_pattern is None,
        f"no {API_CALL} is among the pattern's detail-type": not _takes_api_calls(event_pattern),
    }
    for reason, holds in reasons.items():
        options.require(not holds, "read_only_calls", True, f"{reason}; mend that, or leave it out")


def _takes_api_calls(pattern: Any) -> bool:
    """Say whether an API call can match, as far as the pattern's ``detail-type`` says and is known here."""
    kinds = pattern.get("detail-type") if isinstance(pattern, Mapping) else None
    if not isinstance(kinds, list) or any(map(only_cloudformation_knows, kinds)):
        return True
    wanted = {"detail-type": kinds}
    return bool(problems(wanted)) or matches(wanted, {"detail-type": API_CALL})


def _endpoints(destination: events.ApiDestination) -> list[str]:
    made = [child for child in destination.node.children if isinstance(child, events.CfnApiDestination)]
    return [child.invocation_endpoint for child in made]
