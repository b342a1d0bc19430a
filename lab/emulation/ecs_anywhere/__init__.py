"""Amazon ECS Anywhere: hosts that register with AWS Systems Manager, and then as container instances of a cluster."""

from __future__ import annotations

from lab.emulation.ecs_anywhere import answers, capacity, container_instances, managed_instances, placement

HOOKS = [
    *answers.HOOKS,
    *managed_instances.HOOKS,
    *container_instances.HOOKS,
    *capacity.HOOKS,
    *placement.HOOKS,
]


def extend() -> None:
    """Answer the operations of both services that are about such hosts, and place tasks on them."""
    managed_instances.extend()
    container_instances.extend()
    placement.extend()
