"""The health of containers and tasks: what a task definition asks for is asked in the container, again and again.

A task is healthy when all of its essential containers that have a check are. A deployment waits for that, and a
service replaces a task that is not.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from lab.emulation.ecs import engine

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.core.concurrency.spawn_background(fn, args, thread_name, kwargs)",
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.services.ecs._attach_started_container(task, container, index, metadata_token, ecs_network)",
    "ministack.services.ecs._cleanup_task_resources(task, docker_client, extra_container)",
    "ministack.services.ecs._cluster_name_from_arn(arn)",
    "ministack.services.ecs._mark_task_stopped(task_arn, task, reason, stop_code, exit_code)",
    "ministack.services.ecs._record_service_task_failure(task, digest_resolution_failed)",
    "ministack.services.ecs._record_service_task_healthy(svc_key, task)",
    "ministack.services.ecs._resolve_td_key(ref)",
    "ministack.services.ecs._schedule_service_deployment_completion"
    "(cluster_name, svc_key, account_id, region, healthy_task)",
    "ministack.services.ecs._task_defs",
    "ministack.services.ecs._task_is_active(task_arn, task)",
]
_SECONDS_BEFORE_HEALTHY = 0.5
# By a container's name.
_statuses: dict[str, str] = {}

Definition = dict[str, Any]


def extend() -> None:
    """Ask each container that starts, and let deployments wait for the answers."""
    ecs._attach_started_container = _watched(ecs._attach_started_container)
    ecs._record_service_task_healthy = _when_healthy(ecs._record_service_task_healthy)


def of(container_name: str) -> str:
    """Say how the container of the engine with this name is."""
    return _statuses.get(container_name, "UNKNOWN")


def _watched(attach: Callable[..., bool]) -> Callable[..., bool]:
    def attach_started_container(task: Definition, container: Any, index: int, *rest: Any) -> bool:
        attached = attach(task, container, index, *rest)
        check = _definitions(task)[index].get("healthCheck")
        if attached and check:
            spawn_background(_watch, task, container, index, check, thread_name=f"health-{container.name}")
        return attached

    return attach_started_container


def _when_healthy(record: Callable[..., None]) -> Callable[..., None]:
    def record_service_task_healthy(service: str, task: Definition) -> None:
        if _status(task) in {"HEALTHY", "WITHOUT CHECK"}:
            record(service, task)

    return record_service_task_healthy


def _watch(task: Definition, container: Any, index: int, check: Definition) -> None:
    interval, retries = check.get("interval", 30), check.get("retries", 3)
    counted_from = time.monotonic() + check.get("startPeriod", 0)
    failures, status = 0, "UNKNOWN"
    while ecs._task_is_active(task["taskArn"], task):
        if _passes(container.id, check):
            failures, now = 0, "HEALTHY"
        else:
            # Until it is healthy it is asked more often, and what it answers counts at the intervals.
            if time.monotonic() >= counted_from:
                failures, counted_from = failures + 1, time.monotonic() + interval
            now = "UNHEALTHY" if failures >= retries else status
        if now != status:
            status = now
            _report(task, container.name, index, status)
        time.sleep(interval if status == "HEALTHY" else min(interval, _SECONDS_BEFORE_HEALTHY))
    _statuses.pop(container.name, None)


def _passes(container_id: str, check: Definition) -> bool:
    from docker.errors import DockerException  # noqa: PLC0415 - loaded with the engine's client

    kind, *command = check["command"]
    if kind == "CMD-SHELL":
        command = ["/bin/sh", "-c", *command]
    elif kind != "CMD":
        command = [kind, *command]
    client = engine.client(seconds=check.get("timeout", 5))
    try:
        return client is not None and client.containers.get(container_id).exec_run(command).exit_code == 0
    except (DockerException, OSError):
        return False


def _report(task: Definition, container_name: str, index: int, status: str) -> None:
    _statuses[container_name] = status
    task["containers"][index]["healthStatus"] = status
    whole = _status(task)
    task["healthStatus"] = "UNKNOWN" if whole == "WITHOUT CHECK" else whole
    cluster, group = ecs._cluster_name_from_arn(task["clusterArn"]), task.get("group", "")
    if not group.startswith("service:"):
        return
    if whole == "HEALTHY":
        service = f"{cluster}/{group.removeprefix('service:')}"
        ecs._schedule_service_deployment_completion(cluster, service, get_account_id(), get_region(), healthy_task=task)
    elif whole == "UNHEALTHY":
        reason = "Task failed container health checks"
        if ecs._mark_task_stopped(task["taskArn"], task, reason, "ServiceSchedulerInitiated"):
            ecs._cleanup_task_resources(task, engine.client())
            ecs._record_service_task_failure(task)


def _status(task: Definition) -> str:
    checked = [
        container["healthStatus"]
        for container, definition in zip(task["containers"], _definitions(task), strict=True)
        if definition.get("healthCheck") and definition.get("essential", True)
    ]
    if not checked:
        return "WITHOUT CHECK"
    if "UNHEALTHY" in checked:
        return "UNHEALTHY"
    return "HEALTHY" if set(checked) == {"HEALTHY"} else "UNKNOWN"


def _definitions(task: Definition) -> list[Definition]:
    definitions: list[Definition] = ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])][
        "containerDefinitions"
    ]
    return definitions
