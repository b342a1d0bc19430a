"""One event on its way to one target, and what can go wrong on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ministack.services import eventbridge

HOOKS = ["ministack.services.eventbridge._pattern_event_view(event)"]


class DeliveryError(Exception):
    """An event did not reach its target.

    :param code: AWS's name for the reason.
    :param retried: whether another attempt may succeed.
    """

    def __init__(self, code: str, message: str, *, retried: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retried = retried


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target of a rule or a schedule."""

    target: dict[str, Any]
    event: dict[str, Any]
    sender: dict[str, Any]

    @property
    def is_scheduled(self) -> bool:
        """Whether EventBridge Scheduler sends it, and not a rule."""
        return ":scheduler:" in self.sender["Arn"]

    @property
    def service(self) -> str:
        """The service principal that policies name."""
        return "scheduler.amazonaws.com" if self.is_scheduled else "events.amazonaws.com"

    @property
    def source_arn(self) -> str:
        """What policies know as the source: the rule, or the group that the schedule belongs to."""
        if not self.is_scheduled:
            return str(self.sender["Arn"])
        return f"{self.sender['Arn'].rpartition(':')[0]}:schedule-group/{self.sender['GroupName']}"

    @property
    def body(self) -> str:
        """What a dead-letter queue holds of it: the event; of a schedule, its input."""
        whole = json.dumps(eventbridge._pattern_event_view(self.event).event_with_detail())
        return self.target.get("Input", whole) if self.is_scheduled else whole
