"""Task definitions and services in CloudFormation, with all that a template can say of them.

MiniStack's CloudFormation leaves the names inside a container's secrets, health check and dependencies as a template
has them, where Amazon ECS would not find them, and forgets the platform of a task definition.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ministack.services import ecs
from ministack.services.cloudformation import provisioners, stacks

from lab.emulation.ecs import engine
from lab.emulation.ecs.tasks import in_order

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.cloudformation.provisioners._ecs_service_create(logical_id, props, stack_name)",
    "ministack.services.cloudformation.provisioners._ecs_service_update(physical_id, old_props, new_props, stack_name)",
    "ministack.services.cloudformation.provisioners._ecs_task_def_create(logical_id, props, stack_name)",
    "ministack.services.cloudformation.provisioners._normalize_container_defs(cdefs)",
    "ministack.services.cloudformation.stacks._runs_on_worker_thread(resource_type)",
    "ministack.services.ecs._primary_deployment(svc)",
    "ministack.services.ecs._services",
    "ministack.services.ecs._task_defs",
]
_SERVICE = "AWS::ECS::Service"
# Their keys are names that somebody chose, and not names of properties.
_CHOSEN = {"dockerLabels", "options"}
_NUMBERS = {"interval", "timeout", "retries", "startPeriod", "stopTimeout", "startTimeout", "containerPort", "hostPort"}
_STEADY_SECONDS = 120

Made = tuple[str, dict[str, str]]
Properties = dict[str, Any]


def extend() -> None:
    """Read templates whole, and report a service as made when its tasks run, or as failed when they cannot."""
    provisioners._normalize_container_defs = lambda definitions: in_order([_as_api(one) for one in definitions])
    provisioners._ecs_task_def_create = _with_platform(provisioners._ecs_task_def_create)
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::ECS::TaskDefinition"]["create"] = provisioners._ecs_task_def_create
    on_a_thread = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda resource_type: resource_type == _SERVICE or on_a_thread(resource_type)
    handlers[_SERVICE] |= {"create": _create_service, "update": _update_service}


def _as_api(value: Any, key: str = "") -> Any:
    if isinstance(value, list):
        return [_as_api(item) for item in value]
    if isinstance(value, dict) and key not in _CHOSEN:
        lowered = {name[:1].lower() + name[1:]: item for name, item in value.items()}
        return {name: _as_api(item, name) for name, item in lowered.items()}
    return int(value) if key in _NUMBERS else value


def _with_platform(create: Callable[[str, Properties, str], Made]) -> Callable[[str, Properties, str], Made]:
    def create_task_definition(logical_id: str, properties: Properties, stack: str) -> Made:
        arn, attributes = create(logical_id, properties, stack)
        if "RuntimePlatform" in properties:
            platform = _as_api(properties["RuntimePlatform"])
            ecs._task_defs[arn.rpartition("/")[2]]["runtimePlatform"] = platform
        return arn, attributes

    return create_task_definition


def _create_service(logical_id: str, properties: Properties, stack: str) -> Made:
    made: Made = provisioners._ecs_service_create(logical_id, properties, stack)
    try:
        _wait_until_steady(made[0])
    except ValueError:
        provisioners._ecs_service_delete(made[0], properties)  # CloudFormation knows of none that failed to be made
        raise
    return made


def _update_service(arn: str, old: Properties, new: Properties, stack: str) -> Made:
    made: Made = provisioners._ecs_service_update(arn, old, new, stack)
    _wait_until_steady(arn)
    return made


def _wait_until_steady(arn: str) -> None:
    """Wait for a deployment as CloudFormation does; without an engine there is nothing to wait for.

    :raises ValueError: when its circuit breaker opened, or when it takes too long.
    """
    if engine.client() is None:
        return
    key = "/".join(arn.split("/")[-2:])
    begun = ecs._primary_deployment(ecs._services[key])
    deadline = time.monotonic() + _STEADY_SECONDS
    while begun["rolloutState"] == "IN_PROGRESS":
        if time.monotonic() > deadline:
            raise ValueError(f"The service {key} did not stabilize within {_STEADY_SECONDS} s.")
        time.sleep(0.1)
    if begun["rolloutState"] == "FAILED":
        raise ValueError("Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.")
