"""Rules of EventBridge that are enabled for API calls that only read, too; MiniStack takes them for disabled.

The state says which calls that AWS CloudTrail recorded start a rule. Every other event starts it as it does an enabled
rule, and the emulator's CloudTrail tells EventBridge of no call: here it is a rule like any other, but that a schedule
beside its pattern starts nothing.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import eventbridge

if TYPE_CHECKING:
    from collections.abc import Iterator

HOOKS = [
    "ministack.services.eventbridge._dispatch_event(event, view)",
    "ministack.services.eventbridge._invoke_target(target, event, rule, view)",
    "ministack.services.eventbridge._matches_pattern_view(pattern_str, view, owner)",
    "ministack.services.eventbridge._pattern_event_view(event)",
    "ministack.services.eventbridge._rules",
    "ministack.services.eventbridge._targets",
]
_STATE = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

Record = dict[str, Any]


def extend() -> None:
    """Have an event start the rules in this state after those that are just enabled."""
    dispatch_to_enabled = eventbridge._dispatch_event

    def dispatch(event: Record, view: Any = None) -> None:
        view = view or eventbridge._pattern_event_view(event)
        dispatch_to_enabled(event, view)
        for key, rule in _rules_for(event, view):
            for target in eventbridge._targets.get(key, []):
                eventbridge._invoke_target(target, event, rule, view)

    eventbridge._dispatch_event = dispatch


def _rules_for(event: Record, view: Any) -> Iterator[tuple[str, Record]]:
    bus, path = event.get("EventBusName", "default"), set(event.get("_DispatchPath") or [])
    for key, rule in [*eventbridge._rules.items()]:
        waits = rule.get("State") == _STATE and rule.get("EventBusName", "default") == bus and key not in path
        pattern = rule.get("EventPattern")
        if waits and pattern and eventbridge._matches_pattern_view(pattern, view, f"rule {key}"):
            yield key, rule
