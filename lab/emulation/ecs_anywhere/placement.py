"""Places tasks of the launch type ``EXTERNAL``: where there is room for CPU units and memory, or not at all.

A daemon service has a task on each instance. Placement constraints are not evaluated.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement.html
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from ministack.core.responses import new_uuid
from ministack.services import ecs
from ministack.services.cloudformation import provisioners

from lab.emulation.ecs_anywhere import capacity
from lab.emulation.ecs_anywhere.answers import Properties, Response, answer, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOOKS = [
    "ministack.core.responses.new_uuid()",
    "ministack.services.cloudformation.provisioners._ecs_service_create(logical_id, props, stack_name)",
    "ministack.services.ecs._ACTION_MAP",
    "ministack.services.ecs._clusters",
    "ministack.services.ecs._reconcile_service_tasks(cluster_name, svc_key)",
    "ministack.services.ecs._resolve_cluster_name(ref)",
    "ministack.services.ecs._resolve_td_key(ref)",
    "ministack.services.ecs._run_task(data)",
    "ministack.services.ecs._services",
    "ministack.services.ecs._stop_task(data)",
    "ministack.services.ecs._task_defs",
    "ministack.services.ecs._tasks",
]
_NO_INSTANCES = "No Container Instances were found in your cluster."


def extend() -> None:
    """Place tasks on instances alone."""
    ecs._run_task = ecs._ACTION_MAP["RunTask"] = _with_placement(ecs._run_task)
    # Not the handler of the type: that one waits for the service's tasks, and has to know how many there will be.
    provisioners._ecs_service_create = _with_strategy(provisioners._ecs_service_create)


def _with_placement(run: Callable[[Properties], Response]) -> Callable[[Properties], Response]:
    def run_task(data: Properties) -> Response:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        if data.get("launchType") != "EXTERNAL" or cluster not in ecs._clusters:
            return run(data)
        if not capacity.of(cluster, {"ACTIVE"}):
            _say(cluster, data, _NO_INSTANCES)
            return refusal("InvalidParameterException", _NO_INSTANCES)
        tasks: list[Properties] = []
        failures: list[Properties] = []
        for _ in range(data.get("count", 1)):
            with capacity.placing:
                instance, reason = _place(cluster, data)
                if instance is None:
                    _say(cluster, data, reason)
                    failures.append({"reason": reason})
                    continue
                status, headers, body = run({**data, "count": 1})
                if status >= 400:
                    return status, headers, body
                for task in json.loads(body)["tasks"]:
                    task["containerInstanceArn"] = instance["containerInstanceArn"]
                    ecs._tasks[task["taskArn"]]["containerInstanceArn"] = instance["containerInstanceArn"]
                    tasks.append(task)
        return answer({"tasks": tasks, "failures": failures})

    return run_task


def _place(cluster: str, data: Properties) -> tuple[Properties | None, str]:
    """Find the instance with the fewest tasks that has room for one more, and for a daemon has none of its own yet."""
    needed = capacity.needs(ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition", "")), {}))
    group, reason = data.get("group", ""), "RESOURCE:CPU"
    daemon = ecs._services.get(f"{cluster}/{group.removeprefix('service:')}", {}).get("schedulingStrategy") == "DAEMON"
    for instance in sorted(capacity.of(cluster, {"ACTIVE"}), key=lambda one: len(capacity.tasks_on(one))):
        if daemon and any(task["group"] == group for task in capacity.tasks_on(instance)):
            continue
        remaining = capacity.remaining(instance)
        short = [name for name in capacity.MEASURED if needed[name] > remaining.get(name, 0)]
        if not short:
            return instance, ""
        reason = f"RESOURCE:{short[0]}"
    return None, reason


def _with_strategy(create: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the scheduling strategy that a template gives a service."""

    def service_create(logical_id: str, properties: Properties, stack_name: str) -> Any:
        made = create(logical_id, properties, stack_name)
        cluster = ecs._resolve_cluster_name(properties.get("Cluster", "default"))
        service = ecs._services[f"{cluster}/{made[1]['Name']}"]
        service["schedulingStrategy"] = properties.get("SchedulingStrategy", "REPLICA")
        place_services(cluster)
        return made

    return service_create


def place_services(cluster: str) -> None:
    """Give the services of a cluster the tasks that its instances now have room for."""
    for key, service in list(ecs._services.items()):
        if not key.startswith(f"{cluster}/") or service["launchType"] != "EXTERNAL" or service["status"] != "ACTIVE":
            continue
        if service["schedulingStrategy"] == "DAEMON":
            service["desiredCount"] = len(capacity.of(cluster, {"ACTIVE"}))
            service["deployments"][0]["desiredCount"] = service["desiredCount"]
        ecs._reconcile_service_tasks(cluster, key)


def stop(cluster: str, tasks: Iterable[Properties], reason: str) -> None:
    """Stop tasks of a cluster, for a reason that they then tell."""
    for task in tasks:
        ecs._stop_task({"cluster": cluster, "task": task["taskArn"], "reason": reason})


def _say(cluster: str, data: Properties, reason: str) -> None:
    """Tell among a service's events why a task of it was not placed."""
    service = ecs._services.get(f"{cluster}/{data.get('group', '').removeprefix('service:')}")
    if service:
        message = (
            f"(service {service['serviceName']}) was unable to place a task because no container instance met all of "
            f"its requirements. Reason: {reason}"
        )
        if not service["events"] or service["events"][0]["message"] != message:
            service["events"].insert(0, {"id": new_uuid(), "createdAt": time.time(), "message": message})
