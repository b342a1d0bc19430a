"""Amazon ECS Anywhere: hosts that register with AWS Systems Manager, and then as container instances of a cluster."""

from __future__ import annotations

from lab.emulation.ecs_anywhere import answers, container_instances, managed_instances

HOOKS = [*answers.HOOKS, *managed_instances.HOOKS, *container_instances.HOOKS]


def extend() -> None:
    """Answer the operations of both services that are about such hosts."""
    managed_instances.extend()
    container_instances.extend()
