"""Has a PostgreSQL ready for the clusters of a deployment: an image for containers, or the embedded server.

Both are too large for every lab, so either comes when a section first needs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from lab import emulator, emulator_process
from lab.engine import service as engine_service
from lab.errors import LabError, UsageError
from lab.postgresql import choice
from lab.postgresql.choice import Choice
from lab.project import ENVIRONMENTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.progress import Progress

#: The environment variable that names the image, without its tag, which is the major version; or says ``none``.
IMAGE = "SERVERLESS_LAB_POSTGRESQL"
STATE = emulator_process.STATE / "postgresql"
_REPOSITORY = "public.ecr.aws/docker/library/postgres"
_NO_ENGINE = "no container engine answers"
_PULL_SECONDS = 900


def prepare(assembly: Path, environment: Mapping[str, str], progress: Progress) -> None:
    """Choose what runs the clusters of the assembly's templates, have it here, and say which it is.

    What was chosen for a version stays chosen, unless the user asks for something else, the engine that there was is
    gone, or there was none. A cluster that has data stays where that is.

    :param environment: of what downloads.
    :raises UsageError: when the environment names an engine that we do not know.
    :raises LabError: when there is no container, and the embedded server cannot be installed; the message says why.
    """
    versions = {version for template in assembly.rglob("*.template.json") for version in _versions(template)}
    asked, choices = os.environ.get(IMAGE) or _REPOSITORY, choice.read(STATE)
    for major in sorted(versions):
        if not _holds(choices.get(major), asked):
            choices[major] = _made(major, asked, environment, progress)
        progress.note(f"Behind Aurora PostgreSQL {major}: {choices[major]}")
    if not all(choices[major].image for major in versions):
        _install_embedded(environment, progress)
    if versions:
        choice.write(STATE, choices)


def servers() -> list[str]:
    """Say what runs the clusters, by their versions."""
    return [f"Behind Aurora PostgreSQL {major}: {one}" for major, one in sorted(choice.read(STATE).items())]


def program_of(resource: str) -> str:
    """Say what runs a cluster, by the identifier that it has for life."""
    image = choice.image_of_cluster(STATE / resource)
    return f"in a container of {image}" if image else "embedded"


def _holds(before: Choice | None, asked: str) -> bool:
    if before is None or before.asked != asked or before.why_embedded.startswith(_NO_ENGINE):
        return False
    return before.image is None or _engine_answers()


def _engine_answers() -> bool:
    lent = engine_service.lent()
    return bool(lent and lent.answers)


def _made(major: int, asked: str, environment: Mapping[str, str], progress: Progress) -> Choice:
    if asked == "none":
        return Choice(major, asked, why_embedded=f"{IMAGE} is none")
    try:
        engine = emulator.lend_engine()
    except UsageError:
        raise
    except LabError as error:  # the embedded one needs none
        return Choice(major, asked, why_embedded=f"{_NO_ENGINE} ({error})")
    if engine is None:
        return Choice(major, asked, why_embedded=_NO_ENGINE)
    image = f"{asked}:{major}"
    if not _succeeds([engine.name, "image", "inspect", image], environment):
        progress.step(f"Pulling PostgreSQL {major}, once ({image})")
        if not _succeeds([engine.name, "pull", image], environment):
            return Choice(major, asked, why_embedded=f"{engine.name} has no {image} and cannot pull it")
    return Choice(major, asked, image)


def _succeeds(command: list[str], environment: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PULL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _install_embedded(environment: Mapping[str, str], progress: Progress) -> None:
    # Set-up writes it when everything is there.
    if (ENVIRONMENTS / "postgresql" / "made-from").exists():
        return
    progress.step("Installing PostgreSQL for the emulator, once (20 MB)")
    done = subprocess.run(
        [sys.executable, ROOT / "set_up.py", "postgresql"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"PostgreSQL for the emulator could not be installed: {done.stderr.strip().splitlines()[-1]}")


def _versions(template: Path) -> set[int]:
    """Find the major versions of a template's clusters of Aurora PostgreSQL."""
    clusters = [
        resource["Properties"]
        for resource in json.loads(template.read_text()).get("Resources", {}).values()
        if resource["Type"] == "AWS::RDS::DBCluster" and resource["Properties"].get("Engine") == "aurora-postgresql"
    ]
    majors = [str(cluster.get("EngineVersion", "")).partition(".")[0] for cluster in clusters]
    return {int(major) if major.isdigit() else max(choice.EMBEDDED) for major in majors}
