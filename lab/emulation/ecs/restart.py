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
    "ministack.services.ecs._mark_task_stopped(task_arn, task, reason, stop_code, exit_code)",
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
        for (account, region, arn), task in ecs._tasks.all_items():
            if task["desiredStatus"] == "STOPPED":
                continue
            task["lastStatus"] = "RUNNING"  # as it was kept: MiniStack stops no task that is stopped already
            with request_scope(account, region):
                ecs._mark_task_stopped(arn, task, _REASON, "TerminationNotice")

    return restore_state
