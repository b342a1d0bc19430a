"""Amazon ECS: container instances outside AWS, and tasks of the launch type ``EXTERNAL`` that run on no others.

MiniStack has no container instances, and starts a task wherever it is asked to. Here an agent registers with the
credentials of its managed instance; a task is placed where there is room for its CPU units and memory, or not at all;
a daemon service has a task on each instance. The container engine of this machine runs what is placed, whichever
instance it is on. Placement constraints are not evaluated, and an agent stays connected until it is deregistered.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-anywhere.html
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, new_uuid
from ministack.core.router import extract_access_key_id
from ministack.services import ecs, sts
from ministack.services.cloudformation import provisioners

from lab.emulation.ecs_anywhere.answers import Properties, Response, answer, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

HOOKS = [
    "ministack.core.concurrency.run_reentrant(fn, args, thread_name)",
    "ministack.core.responses.AccountRegionScopedDict",
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.core.responses.new_uuid()",
    "ministack.core.router.extract_access_key_id",
    "ministack.services.cloudformation.provisioners._ecs_service_create(logical_id, props, stack_name)",
    "ministack.services.ecs._ACTION_MAP",
    "ministack.services.ecs._PRE_STOP_STATUSES",
    "ministack.services.ecs._clusters",
    "ministack.services.ecs._reconcile_service_tasks(cluster_name, svc_key)",
    "ministack.services.ecs._resolve_cluster_name(ref)",
    "ministack.services.ecs._resolve_td_key(ref)",
    "ministack.services.ecs._run_task(data)",
    "ministack.services.ecs._services",
    "ministack.services.ecs._stop_task(data)",
    "ministack.services.ecs._task_defs",
    "ministack.services.ecs._tasks",
    "ministack.services.ecs.get_state()",
    "ministack.services.ecs.handle_request(method, path, headers, body, query_params)",
    "ministack.services.ecs.load_persisted_state(data)",
    "ministack.services.sts._sessions",
]
_STATE = "container_instances"
_NO_INSTANCES = "No Container Instances were found in your cluster."
_MEASURED = ("CPU", "MEMORY")

_instances: Any = AccountRegionScopedDict()
# An instance is not taken out between the moment in which a task finds room on it, and the one in which it is there.
_placing = threading.RLock()


def extend() -> None:
    """Answer the operations of container instances, and place tasks of the launch type ``EXTERNAL`` on them."""
    ecs.handle_request = _with_registration(ecs.handle_request)
    ecs.get_state = _with_state(ecs.get_state)
    ecs.load_persisted_state = _with_restored_state(ecs.load_persisted_state)
    ecs._run_task = ecs._ACTION_MAP["RunTask"] = _with_placement(ecs._run_task)
    ecs._ACTION_MAP |= {
        "ListContainerInstances": _list,
        "DescribeContainerInstances": _describe,
        "DeregisterContainerInstance": _deregister,
        "UpdateContainerInstancesState": _update_state,
    }
    # Not the handler of the type: that one waits for the service's tasks, and has to know how many there will be.
    provisioners._ecs_service_create = _with_strategy(provisioners._ecs_service_create)


def _with_registration(handle: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    """Let an agent register: which instance it is on, its credentials say, and nothing in the request."""

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        if headers.get("x-amz-target", "").endswith(".RegisterContainerInstance"):
            session = sts._sessions.get(extract_access_key_id(headers, query), {})
            managed_instance = session.get("Arn", "").rpartition("/")[2]
            # In a thread, as MiniStack's own operations are: the engine is asked, and everybody else need not wait.
            registered: Response = await run_reentrant(_register, json.loads(body or b"{}"), managed_instance)
            return registered
        return await handle(method, path, headers, body, query)

    return handle_request


def _with_state(get: Callable[[], Properties]) -> Callable[[], Properties]:
    return lambda: {**get(), _STATE: _instances}


def _with_restored_state(load: Callable[[Properties], None]) -> Callable[[Properties], None]:
    def load_persisted_state(data: Properties) -> None:
        # First, as the services are then given their tasks again.
        _instances.update((data or {}).get(_STATE, {}))
        load(data)

    return load_persisted_state


def _register(data: Properties, managed_instance: str) -> Response:
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    if cluster is None or cluster not in ecs._clusters:
        return refusal("ClusterNotFoundException", "Cluster not found.")
    if not managed_instance.startswith("mi-"):
        return refusal("ClientException", "The credentials are those of no managed instance.")
    for other in _instances.values():
        if other["ec2InstanceId"] == managed_instance and other["status"] != "INACTIVE":
            if other["cluster"] != cluster:
                return refusal("ClientException", "The instance is registered in another cluster.")
            return answer({"containerInstance": _shown(other)})
    arn = f"arn:aws:ecs:{get_region()}:{get_account_id()}:container-instance/{cluster}/{new_uuid().replace('-', '')}"
    _instances[arn] = {
        "containerInstanceArn": arn,
        "ec2InstanceId": managed_instance,
        "cluster": cluster,
        "status": "ACTIVE",
        "agentConnected": True,
        "version": 1,
        "versionInfo": data.get("versionInfo", {}),
        "registeredResources": data.get("totalResources", []),
        "attributes": [*data.get("attributes", []), {"name": "ecs.capability.external"}],
        "registeredAt": time.time(),
        "tags": data.get("tags", []),
    }
    _place_services(cluster)
    return answer({"containerInstance": _shown(_instances[arn])})


def _list(data: Properties) -> Response:
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    wanted = {data["status"]} if data.get("status") else {"ACTIVE", "DRAINING"}
    return answer({"containerInstanceArns": [one["containerInstanceArn"] for one in _of(cluster, wanted)]})


def _describe(data: Properties) -> Response:
    found, failures = [], []
    for named in data.get("containerInstances", []):
        instance = _find(data, named)
        if instance:
            found.append(_shown(instance))
        else:
            failures.append({"arn": named, "reason": "MISSING"})
    return answer({"containerInstances": found, "failures": failures})


def _deregister(data: Properties) -> Response:
    instance = _find(data, data.get("containerInstance", ""))
    if instance is None or instance["status"] == "INACTIVE":
        return refusal("InvalidParameterException", "Container instance not found.")
    with _placing:
        tasks = _tasks_on(instance)
        if tasks and not data.get("force"):
            return refusal("InvalidParameterException", "Found running tasks on the instance.")
        instance |= {"status": "INACTIVE", "agentConnected": False}
    # On AWS they run on, and nobody looks after them; here nobody could ever end them.
    _stop(instance["cluster"], tasks, "Container instance deregistered")
    _place_services(instance["cluster"])
    return answer({"containerInstance": _shown(instance)})


def _update_state(data: Properties) -> Response:
    changed = [instance for named in data["containerInstances"] if (instance := _find(data, named))]
    with _placing:
        for instance in changed:
            instance["status"] = data["status"]
    for instance in changed:
        if data["status"] == "DRAINING":
            _stop(instance["cluster"], _tasks_on(instance), "Container instance draining")
    if changed:
        _place_services(changed[0]["cluster"])
    return answer({"containerInstances": [_shown(one) for one in changed], "failures": []})


def _with_placement(run: Callable[[Properties], Response]) -> Callable[[Properties], Response]:
    def run_task(data: Properties) -> Response:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        if data.get("launchType") != "EXTERNAL" or cluster not in ecs._clusters:
            return run(data)
        if not _of(cluster, {"ACTIVE"}):
            _say(cluster, data, _NO_INSTANCES)
            return refusal("InvalidParameterException", _NO_INSTANCES)
        tasks: list[Properties] = []
        failures: list[Properties] = []
        for _ in range(data.get("count", 1)):
            with _placing:
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
    needed = _needs(ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition", "")), {}))
    group, reason = data.get("group", ""), "RESOURCE:CPU"
    daemon = ecs._services.get(f"{cluster}/{group.removeprefix('service:')}", {}).get("schedulingStrategy") == "DAEMON"
    for instance in sorted(_of(cluster, {"ACTIVE"}), key=lambda one: len(_tasks_on(one))):
        if daemon and any(task["group"] == group for task in _tasks_on(instance)):
            continue
        remaining = _remaining(instance)
        short = [name for name in _MEASURED if needed[name] > remaining.get(name, 0)]
        if not short:
            return instance, ""
        reason = f"RESOURCE:{short[0]}"
    return None, reason


def _needs(definition: Properties) -> dict[str, int]:
    containers = definition.get("containerDefinitions", [])
    return {
        "CPU": int(definition.get("cpu") or sum(int(one.get("cpu") or 0) for one in containers)),
        "MEMORY": int(definition.get("memory") or sum(_memory(one) for one in containers)),
    }


def _memory(container: Properties) -> int:
    return int(container.get("memoryReservation") or container.get("memory") or 0)


def _remaining(instance: Properties) -> dict[str, int]:
    taken = [_needs(ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])]) for task in _tasks_on(instance)]
    return {
        one["name"]: int(one["integerValue"]) - sum(needs.get(one["name"], 0) for needs in taken)
        for one in instance["registeredResources"]
        if one["name"] in _MEASURED
    }


def _with_strategy(create: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the scheduling strategy that a template gives a service."""

    def service_create(logical_id: str, properties: Properties, stack_name: str) -> Any:
        made = create(logical_id, properties, stack_name)
        cluster = ecs._resolve_cluster_name(properties.get("Cluster", "default"))
        service = ecs._services[f"{cluster}/{made[1]['Name']}"]
        service["schedulingStrategy"] = properties.get("SchedulingStrategy", "REPLICA")
        _place_services(cluster)
        return made

    return service_create


def _place_services(cluster: str) -> None:
    """Give the services of a cluster the tasks that its instances now have room for."""
    for key, service in list(ecs._services.items()):
        if not key.startswith(f"{cluster}/") or service["launchType"] != "EXTERNAL" or service["status"] != "ACTIVE":
            continue
        if service["schedulingStrategy"] == "DAEMON":
            service["desiredCount"] = len(_of(cluster, {"ACTIVE"}))
            service["deployments"][0]["desiredCount"] = service["desiredCount"]
        ecs._reconcile_service_tasks(cluster, key)


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


def _stop(cluster: str, tasks: Iterable[Properties], reason: str) -> None:
    for task in tasks:
        ecs._stop_task({"cluster": cluster, "task": task["taskArn"], "reason": reason})


def _of(cluster: str | None, statuses: set[str]) -> list[Properties]:
    return [one for one in _instances.values() if one["cluster"] == cluster and one["status"] in statuses]


def _find(data: Properties, named: str) -> Properties | None:
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    for arn, instance in _instances.items():
        if instance["cluster"] == cluster and named in {arn, arn.rpartition("/")[2]}:
            found: Properties = instance
            return found
    return None


def _tasks_on(instance: Properties) -> list[Properties]:
    return [
        task
        for task in ecs._tasks.values()
        if task["containerInstanceArn"] == instance["containerInstanceArn"]
        and task["lastStatus"] in (*ecs._PRE_STOP_STATUSES, "RUNNING")
    ]


def _shown(instance: Properties) -> Properties:
    tasks = _tasks_on(instance)
    running = sum(task["lastStatus"] == "RUNNING" for task in tasks)
    remaining = _remaining(instance)
    return {
        **{name: value for name, value in instance.items() if name != "cluster"},
        "remainingResources": [
            {**one, "integerValue": remaining[one["name"]]} if one["name"] in remaining else one
            for one in instance["registeredResources"]
        ],
        "runningTasksCount": running,
        "pendingTasksCount": len(tasks) - running,
    }
