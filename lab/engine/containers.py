"""Looks into the containers that the emulator runs, as nothing outside a container can on AWS."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from lab.engine import service
from lab.errors import LabError

if TYPE_CHECKING:
    from lab.engine.discovery import Engine

_SECONDS = 30


def of_task(task_arn: str) -> list[str]:
    """Name the containers of a task, by the engine's ids.

    :raises LabError: when no engine runs any.
    """
    label = f"label=com.amazonaws.ecs.task-arn={task_arn}"
    return _answer_of("ps", "--quiet", "--no-trunc", "--filter", label).split()


def environment_of(container: str) -> dict[str, str]:
    """Read a container's environment variables."""
    [described] = json.loads(_answer_of("inspect", container))
    return dict(variable.split("=", 1) for variable in described["Config"]["Env"])


def kill(container: str) -> None:
    """End a container's program as a crash would."""
    _answer_of("kill", container)


def _answer_of(*words: str) -> str:
    lent = service.lent()
    if lent is None:
        raise LabError("No container engine is lent to the emulator.")
    engine: Engine = lent.engine
    try:
        done = subprocess.run(
            [engine.name, *words],
            env=engine.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(
            f"{engine.name} does not answer any more: {error}. See that `{engine.name} info` does."
        ) from None
    if done.returncode:
        raise LabError(f"`{engine.name} {words[0]}` failed: {done.stderr.strip()}")
    return done.stdout
