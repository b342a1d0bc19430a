"""Services: each replaces a task that somebody stopped, and a first deployment is judged as every other one."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from ministack.services import ecs

from lab.emulation import load_balancer
from lab.emulation.ecs import engine, tasks

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.services.ecs._ACTION_MAP",
    "ministack.services.ecs._cluster_name_from_arn(arn)",
    "ministack.services.ecs._fail_task_start(task, docker_client, reason)",
    "ministack.services.ecs._make_deployment(task_definition, desired_count, status)",
    "ministack.services.ecs._reconcile_service_tasks(cluster_name, svc_key)",
    "ministack.services.ecs._record_service_task_failure(task, digest_resolution_failed)",
    "ministack.services.ecs._record_task_ip(task, container, ecs_network)",
    "ministack.services.ecs._register_task_definition(data)",
    "ministack.services.ecs._stop_task(data)",
]

_PAUSE_SECONDS = 0.5

Properties = dict[str, Any]
Response = tuple[int, dict[str, str], Any]


def extend() -> None:
    """Keep services as AWS does."""
    ecs._make_deployment = _in_progress(ecs._make_deployment)
    ecs._fail_task_start = _after_a_pause(ecs._fail_task_start)
    ecs._record_service_task_failure = _of_tasks_alone(ecs._record_service_task_failure)
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


def _after_a_pause(fail: Callable[..., None]) -> Callable[..., None]:
    """Let a service take a breath before it tries what just failed, as AWS does."""

    def fail_task_start(*args: Any) -> None:
        time.sleep(_PAUSE_SECONDS)
        fail(*args)

    return fail_task_start


def _of_tasks_alone(record: Callable[..., None]) -> Callable[..., None]:
    """Let the tasks that fail decide about a deployment, and not an engine that names no digest of their image.

    Podman names none, and a busy engine may not answer: MiniStack would then fail the deployment for good, one that was
    completed too, and the service would start no task any more. An image that is not there fails the task.
    """

    def record_service_task_failure(task: Properties, digest_resolution_failed: bool = False) -> None:
        if not digest_resolution_failed:
            record(task)

    return record_service_task_failure


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
