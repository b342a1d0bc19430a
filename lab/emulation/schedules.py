"""EventBridge Scheduler in CloudFormation: a schedule that cannot be made fails its stack, and keeps all that it says.

MiniStack reports a schedule as made whose group does not exist, and forgets its time zone, its dates and its key. The
time zone is kept for whoever reads it: a cron expression still counts in UTC, and a flexible window is over at once.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import scheduler
from ministack.services.cloudformation import provisioners

HOOKS = [
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES",
    "ministack.services.cloudformation.provisioners._physical_name(stack_name, logical_id, lowercase, max_len, seeded)",
    "ministack.services.scheduler._create_schedule(name, body)",
    "ministack.services.scheduler._update_schedule(name, body)",
]
_SCHEDULE = "AWS::Scheduler::Schedule"

Properties = dict[str, Any]
Made = tuple[str, dict[str, str]]


def extend() -> None:
    """Have CloudFormation make and change schedules by the API's own operations."""
    provisioners._RESOURCE_HANDLERS[_SCHEDULE] |= {"create": _create, "update": _update}
    # On AWS a schedule moves to another group; here it is made there anew.
    provisioners._REPLACING_PROPERTIES[_SCHEDULE] = ("Name", "GroupName")


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=64)
    return _made(name, scheduler._create_schedule(name, properties))


def _update(name: str, _: Properties, properties: Properties, __: str) -> Made:
    return _made(name, scheduler._update_schedule(name, properties))


def _made(name: str, response: tuple[int, dict[str, str], str | bytes]) -> Made:
    status, _, body = response
    answer = json.loads(body)
    if status >= 400:
        raise ValueError(f"{_SCHEDULE} {name}: {answer.get('Message') or answer}")
    return name, {"Arn": answer["ScheduleArn"]}
