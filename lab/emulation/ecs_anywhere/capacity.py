"""The container instances that there are, what runs on each, and what room each has left."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import ecs

if TYPE_CHECKING:
    from lab.emulation.ecs_anywhere.answers import Properties

HOOKS = [
    "ministack.core.responses.AccountRegionScopedDict",
    "ministack.services.ecs._PRE_STOP_STATUSES",
    "ministack.services.ecs._resolve_td_key(ref)",
    "ministack.services.ecs._task_defs",
    "ministack.services.ecs._tasks",
]
#: What the agent registers, and a task needs.
MEASURED = ("CPU", "MEMORY")

instances: Any = AccountRegionScopedDict()
#: An instance is not taken out between the moment in which a task finds room on it, and the one in which it is there.
placing = threading.RLock()


def of(cluster: str | None, statuses: set[str]) -> list[Properties]:
    """List a cluster's instances that have one of the statuses."""
    return [one for one in instances.values() if one["cluster"] == cluster and one["status"] in statuses]


def tasks_on(instance: Properties) -> list[Properties]:
    """List the tasks that run on an instance, or are about to."""
    return [
        task
        for task in ecs._tasks.values()
        if task["containerInstanceArn"] == instance["containerInstanceArn"]
        and task["lastStatus"] in (*ecs._PRE_STOP_STATUSES, "RUNNING")
    ]


def remaining(instance: Properties) -> dict[str, int]:
    """Say how much of what is measured is left."""
    taken = [needs(ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])]) for task in tasks_on(instance)]
    return {
        one["name"]: int(one["integerValue"]) - sum(task.get(one["name"], 0) for task in taken)
        for one in instance["registeredResources"]
        if one["name"] in MEASURED
    }


def needs(definition: Properties) -> dict[str, int]:
    """Say how much of what is measured a task of this definition takes."""
    containers = definition.get("containerDefinitions", [])
    return {
        "CPU": int(definition.get("cpu") or sum(int(one.get("cpu") or 0) for one in containers)),
        "MEMORY": int(definition.get("memory") or sum(_memory(one) for one in containers)),
    }


def _memory(container: Properties) -> int:
    return int(container.get("memoryReservation") or container.get("memory") or 0)
