"""Amazon ECS: container instances outside AWS, which register, are listed, drained and deregistered.

MiniStack has no container instances. Here an agent registers with the credentials of its managed instance, and stays
connected until it is deregistered. The container engine of this machine runs what is placed on any of them.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-anywhere.html
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.core.router import extract_access_key_id
from ministack.services import ecs, sts

from lab.emulation.ecs_anywhere import capacity, placement
from lab.emulation.ecs_anywhere.answers import Properties, Response, answer, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HOOKS = [
    "ministack.core.concurrency.run_reentrant(fn, args, thread_name)",
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.core.responses.new_uuid()",
    "ministack.core.router.extract_access_key_id",
    "ministack.services.ecs._ACTION_MAP",
    "ministack.services.ecs._clusters",
    "ministack.services.ecs._resolve_cluster_name(ref)",
    "ministack.services.ecs.get_state()",
    "ministack.services.ecs.handle_request(method, path, headers, body, query_params)",
    "ministack.services.ecs.load_persisted_state(data)",
    "ministack.services.sts._sessions",
]
_STATE = "container_instances"


def extend() -> None:
    """Answer the operations of container instances."""
    ecs.handle_request = _with_registration(ecs.handle_request)
    ecs.get_state = _with_state(ecs.get_state)
    ecs.load_persisted_state = _with_restored_state(ecs.load_persisted_state)
    ecs._ACTION_MAP |= {
        "ListContainerInstances": _list,
        "DescribeContainerInstances": _describe,
        "DeregisterContainerInstance": _deregister,
        "UpdateContainerInstancesState": _update_state,
    }


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
    return lambda: {**get(), _STATE: capacity.instances}


def _with_restored_state(load: Callable[[Properties], None]) -> Callable[[Properties], None]:
    def load_persisted_state(data: Properties) -> None:
        # First, as the services are then given their tasks again.
        capacity.instances.update((data or {}).get(_STATE, {}))
        load(data)

    return load_persisted_state


def _register(data: Properties, managed_instance: str) -> Response:
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    if cluster is None or cluster not in ecs._clusters:
        return refusal("ClusterNotFoundException", "Cluster not found.")
    if not managed_instance.startswith("mi-"):
        return refusal("ClientException", "The credentials are those of no managed instance.")
    for other in capacity.instances.values():
        if other["ec2InstanceId"] == managed_instance and other["status"] != "INACTIVE":
            if other["cluster"] != cluster:
                return refusal("ClientException", "The instance is registered in another cluster.")
            return answer({"containerInstance": _shown(other)})
    arn = f"arn:aws:ecs:{get_region()}:{get_account_id()}:container-instance/{cluster}/{new_uuid().replace('-', '')}"
    capacity.instances[arn] = {
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
    placement.place_services(cluster)
    return answer({"containerInstance": _shown(capacity.instances[arn])})


def _list(data: Properties) -> Response:
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    wanted = {data["status"]} if data.get("status") else {"ACTIVE", "DRAINING"}
    return answer({"containerInstanceArns": [one["containerInstanceArn"] for one in capacity.of(cluster, wanted)]})


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
    with capacity.placing:
        tasks = capacity.tasks_on(instance)
        if tasks and not data.get("force"):
            return refusal("InvalidParameterException", "Found running tasks on the instance.")
        instance |= {"status": "INACTIVE", "agentConnected": False}
    # On AWS they run on, and nobody looks after them; here nobody could ever end them.
    placement.stop(instance["cluster"], tasks, "Container instance deregistered")
    placement.place_services(instance["cluster"])
    return answer({"containerInstance": _shown(instance)})


def _update_state(data: Properties) -> Response:
    changed = [instance for named in data["containerInstances"] if (instance := _find(data, named))]
    with capacity.placing:
        for instance in changed:
            instance["status"] = data["status"]
    for instance in changed:
        if data["status"] == "DRAINING":
            placement.stop(instance["cluster"], capacity.tasks_on(instance), "Container instance draining")
    if changed:
        placement.place_services(changed[0]["cluster"])
    return answer({"containerInstances": [_shown(one) for one in changed], "failures": []})


def _find(data: Properties, named: str) -> Properties | None:
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    for arn, instance in capacity.instances.items():
        if instance["cluster"] == cluster and named in {arn, arn.rpartition("/")[2]}:
            found: Properties = instance
            return found
    return None


def _shown(instance: Properties) -> Properties:
    tasks = capacity.tasks_on(instance)
    running = sum(task["lastStatus"] == "RUNNING" for task in tasks)
    remaining = capacity.remaining(instance)
    return {
        **{name: value for name, value in instance.items() if name != "cluster"},
        "remainingResources": [
            {**one, "integerValue": remaining[one["name"]]} if one["name"] in remaining else one
            for one in instance["registeredResources"]
        ],
        "runningTasksCount": running,
        "pendingTasksCount": len(tasks) - running,
    }
