"""Tasks that ended with the emulator: stopped when it starts again, whichever operation asks.

MiniStack restores a task that ran as one that is stopped and yet means to run: ListTasks names it, and nothing ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.core.responses import request_scope
from ministack.services import ecs

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.core.responses.request_scope(account_id, region)",
    "ministack.services.ecs._cluster_name_from_arn(arn)",
    "ministack.services.ecs._iso()",
    "ministack.services.ecs._recount_cluster(cluster_name)",
    "ministack.services.ecs._restore_state(data)",
    "ministack.services.ecs._tasks",
]
_REASON = "The emulator was stopped, and the task's containers with it."


def extend() -> None:
    """Restore what was kept so."""
    ecs._restore_state = _with_ended_tasks(ecs._restore_state)


def _with_ended_tasks(restore: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def restore_state(data: dict[str, Any]) -> None:
        restore(data)
        now = ecs._iso()
        for (account, region, _), task in ecs._tasks.all_items():
            if task["desiredStatus"] == "STOPPED":
                continue
            # Not as MiniStack stops a task that runs: it would settle with a load balancer that is not restored yet.
            task |= {"desiredStatus": "STOPPED", "stopCode": "TerminationNotice", "stoppedReason": _REASON}
            task |= {"stoppingAt": now, "executionStoppedAt": now, "stoppedAt": now}
            for container in task["containers"]:
                container["lastStatus"] = "STOPPED"
            with request_scope(account, region):
                ecs._recount_cluster(ecs._cluster_name_from_arn(task["clusterArn"]))

    return restore_state
