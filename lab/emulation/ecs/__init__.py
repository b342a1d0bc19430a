"""Amazon ECS on AWS Fargate: tasks are real containers of the engine that `lab` lends, and behave as Fargate's.

Without an engine MiniStack keeps the records alone, as ever. With one it starts containers; here they start with the
roles, secrets, health checks, dependencies, limits and shared network that their task definition gives them, and
services and deployments follow from how they are.

Three things differ from AWS: credentials of the task role are in the environment of a container rather than at an
address; a container that is not healthy yet is asked more often than its interval says; and a task takes the place of
another one at once.
"""

from __future__ import annotations

from lab.emulation.ecs import health, restart, roles, services, tasks, templates

HOOKS = [*roles.HOOKS, *templates.HOOKS, *tasks.HOOKS, *health.HOOKS, *services.HOOKS, *restart.HOOKS]


def extend() -> None:
    """Run tasks as AWS Fargate does."""
    for part in (tasks, health, services, templates, restart):
        part.extend()
