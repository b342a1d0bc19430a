"""What a section's functions and containers logged: the events of its log groups, in the order of their time."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.deployment import Deployment

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class LogEvent:
    """One line of a log."""

    milliseconds: int
    source: str
    message: str

    @property
    def time(self) -> str:
        """When, in UTC."""
        return datetime.fromtimestamp(self.milliseconds / 1000, tz=timezone.utc).isoformat(timespec="milliseconds")

    def as_json(self) -> str:
        """Return the line that ``lab logs --json`` prints for it."""
        return json.dumps({"time": self.time, "source": self.source, "message": self.message})


def seconds_of(since: str) -> int:
    """Read a length of time such as ``10m``.

    :raises UsageError: when it is none.
    """
    parts = re.fullmatch(r"(\d+)([smhd])", since)
    if not parts:
        raise UsageError(f"--since {since}: write a number and one of s, m, h, d, such as 30s or 2h.")
    return int(parts[1]) * _UNITS[parts[2]]


def read(deployed: Deployment, *, seconds: int, follow: bool) -> Iterator[LogEvent]:
    """Read the events of the last ``seconds``; with ``follow``, go on with those that come."""
    yield from read_groups(deployed, _log_groups(deployed), seconds=seconds, follow=follow)


def read_groups(deployed: Deployment, groups: Sequence[str], *, seconds: int, follow: bool) -> Iterator[LogEvent]:
    """Read log groups, as ``read`` does those of the section's functions and containers.

    CloudWatch Logs may show an event late, so each reading goes back a little, and skips what was read.
    """
    logs = deployed.client("logs")
    start, seen = int((time.time() - seconds) * 1000), set[object]()
    while True:
        fresh = [event for group in groups for event in _events(logs, group, start) if event[0] not in seen]
        for event_id, event in sorted(fresh, key=lambda one: one[1].milliseconds):
            seen.add(event_id)
            yield event
        if not follow:
            return
        start = max(start, int((time.time() - 60) * 1000))
        time.sleep(1)


def _log_groups(deployed: Deployment) -> list[str]:
    functions = [
        deployed.client("lambda").get_function_configuration(FunctionName=name)
        for name in deployed.physical_ids("AWS::Lambda::Function")
    ]
    tasks = [
        deployed.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        for arn in deployed.physical_ids("AWS::ECS::TaskDefinition")
    ]
    options = [
        container.get("logConfiguration", {}).get("options", {})
        for task in tasks
        for container in task["containerDefinitions"]
    ]
    of_containers = [one["awslogs-group"] for one in options if "awslogs-group" in one]
    return [*(function["LoggingConfig"]["LogGroup"] for function in functions), *dict.fromkeys(of_containers)]


def _events(logs: Any, group: str, start: int) -> Iterator[tuple[object, LogEvent]]:
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start):
        for event in page["events"]:
            # The emulator's events have no id of their own.
            identity = event.get("eventId") or tuple(event.values())
            yield identity, LogEvent(event["timestamp"], group, event["message"].rstrip())
