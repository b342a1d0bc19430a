"""Services: each replaces a task that somebody stopped, and a first deployment is judged as every other one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.services import ecs

from lab.emulation import load_balancer
from lab.emulation.ecs import engine, tasks

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.services.ecs._ACTION_MAP",
    "ministack.services.ecs._cluster_name_from_arn(arn)",
    "ministack.services.ecs._make_deployment(task_definition, desired_count, status)",
    "ministack.services.ecs._reconcile_service_tasks(cluster_name, svc_key)",
    "ministack.services.ecs._record_task_ip(task, container, ecs_network)",
    "ministack.services.ecs._register_task_definition(data)",
    "ministack.services.ecs._stop_task(data)",
]

Properties = dict[str, Any]
Response = tuple[int, dict[str, str], Any]


def extend() -> None:
    """Keep services as AWS does."""
    ecs._make_deployment = _in_progress(ecs._make_deployment)
    ecs._record_task_ip = _with_published_ports(ecs._record_task_ip)
    ecs._ACTION_MAP |= {
        "StopTask": _replacing(ecs._stop_task),
        "RegisterTaskDefinition": _ordered(ecs._register_task_definition),
    }


def _in_progress(make: Callable[..., Properties]) -> Callable[..., Properties]:
    """Begin a deployment as one that is not completed, so that its circuit breaker counts what fails."""

    def make_deployment(task_definition: str, desired_count: int, *rest: Any) -> Properties:
        made = make(task_definition, desired_count, *rest)
        if desired_count and engine.client():
            made |= {"rolloutState": "IN_PROGRESS", "rolloutStateReason": "ECS deployment in progress."}
        return made

    return make_deployment


def _with_published_ports(record: Callable[..., None]) -> Callable[..., None]:
    def record_task_ip(task: Properties, container: Any, network: Any) -> None:
        record(task, container, network)
        settings = container.attrs["NetworkSettings"]
        address = ecs._task_ip(task)
        for port, bindings in (settings.get("Ports") or {}).items():
            for binding in bindings or []:
                load_balancer.published[address, int(port.split("/")[0])] = int(binding["HostPort"])

    return record_task_ip


def _replacing(stop: Callable[[Properties], Response]) -> Callable[[Properties], Response]:
    def stop_task(data: Properties) -> Response:
        status, headers, body = stop(data)
        task = json.loads(body).get("task", {})
        group = task.get("group", "")
        if group.startswith("service:"):
            cluster = ecs._cluster_name_from_arn(task["clusterArn"])
            ecs._reconcile_service_tasks(cluster, f"{cluster}/{group.removeprefix('service:')}")
        return status, headers, body

    return stop_task


def _ordered(register: Callable[[Properties], Response]) -> Callable[[Properties], Response]:
    def register_task_definition(data: Properties) -> Response:
        return register({**data, "containerDefinitions": tasks.in_order(data.get("containerDefinitions", []))})

    return register_task_definition
