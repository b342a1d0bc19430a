"""Has a PostgreSQL ready for the clusters of a deployment: an image for containers, or the embedded server.

Both are too large for every lab, so either comes when a section first needs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from lab import emulator, emulator_process
from lab.engine import service as engine_service
from lab.errors import LabError, UsageError
from lab.postgresql import choice
from lab.postgresql.choice import Choice, Reason
from lab.project import ENVIRONMENTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import boto3

    from lab.engine.discovery import Engine
    from lab.progress import Progress

#: The environment variable that names the image, without its tag, which is the major version; or says ``none``.
IMAGE = "SERVERLESS_LAB_POSTGRESQL"
STATE = emulator_process.STATE / "postgresql"
_REPOSITORY = "public.ecr.aws/docker/library/postgres"
_NO_ENGINE = "no container engine answers"
_PULL_SECONDS = 900


def prepare(assembly: Path, environment: Mapping[str, str], progress: Progress) -> None:
    """Choose what runs the clusters of the assembly's templates, have it here, and say which it is.

    It is for new clusters: one that has data stays where that is. An image that could not be pulled is not pulled
    again, as long as the same is asked for, and is taken once it is there.

    :param environment: of what downloads.
    :raises UsageError: when the environment names an engine that we do not know, or an image with its tag.
    :raises LabError: when there is no container, and the embedded server cannot be installed; the message says why.
    """
    versions = {version for template in assembly.rglob("*.template.json") for version in _versions(template)}
    if not versions:
        return
    asked, choices = _asked(), choice.read(STATE)
    for major in sorted(versions):
        choices[major] = _chosen(major, asked, choices.get(major), environment, progress)
        progress.note(new_cluster(choices[major]))
    if not all(choices[major].image for major in versions):
        _install_embedded(environment, progress)
    choice.write(STATE, choices)


def chosen() -> list[Choice]:
    """List what runs new clusters, by their versions."""
    return [one for _, one in sorted(choice.read(STATE).items())]


def new_cluster(chosen: Choice) -> str:
    """Say what runs a cluster that is made from now on."""
    return f"A new cluster of Aurora PostgreSQL {chosen.major} gets: {chosen}"


def clusters(session: boto3.Session) -> dict[str, str]:
    """Say what runs the clusters that there are, by their identifiers."""
    if not chosen():  # nothing is asked that takes a moment, where no section has any
        return {}
    found = session.client("rds").describe_db_clusters()["DBClusters"]
    return {
        one["DBClusterIdentifier"]: program_of(one["DbClusterResourceId"])
        for one in found
        if one["Engine"] == "aurora-postgresql"
    }


def program_of(resource: str) -> str:
    """Say what runs a cluster, by the identifier that it has for life; one that was never used is a new one."""
    bound = choice.binding_of(STATE / resource)
    if bound:
        return f"in a container of {bound.image}, with {bound.engine}"
    return "embedded" if (STATE / resource / "data").exists() else "not used yet"


def _asked() -> str:
    asked = os.environ.get(IMAGE) or _REPOSITORY
    name = asked.rpartition("/")[2]
    if ":" in name or "@" in name:
        raise UsageError(
            f"{IMAGE} is {asked}: without what follows the name, as the tag is the version of the cluster."
        )
    return asked


def _chosen(
    major: int, asked: str, before: Choice | None, environment: Mapping[str, str], progress: Progress
) -> Choice:
    if asked == "none":
        return Choice(major, asked, reason=Reason.ASKED, why=f"{IMAGE} is none")
    try:
        engine = engine_service.serving() or emulator.lend_engine()
    except UsageError:
        raise
    except LabError as error:  # the embedded one needs none
        return Choice(major, asked, reason=Reason.NO_ENGINE, why=f"{_NO_ENGINE} ({error})")
    if engine is None:
        return Choice(major, asked, reason=Reason.NO_ENGINE, why=_NO_ENGINE)
    image = f"{asked}:{major}"
    if _fault([engine.name, "image", "inspect", image], environment) is None:
        return Choice(major, asked, image)
    if before and before.asked == asked and before.reason == Reason.NO_IMAGE:
        return before  # a registry that cannot be reached may keep us waiting
    return _pulled(Choice(major, asked, image), engine, environment, progress)


def _pulled(wanted: Choice, engine: Engine, environment: Mapping[str, str], progress: Progress) -> Choice:
    progress.step(f"Pulling PostgreSQL {wanted.major}, once ({wanted.image})")
    fault = _fault([engine.name, "pull", str(wanted.image)], environment)
    if fault is None:
        return wanted
    progress.step_failed()
    why = f"{engine.name} has no {wanted.image} and cannot pull it ({fault}). Once you have pulled it, `lab up` uses it"
    return replace(wanted, image=None, reason=Reason.NO_IMAGE, why=why)


def _fault(command: list[str], environment: Mapping[str, str]) -> str | None:
    """Run a command, and return what went wrong, if anything did."""
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PULL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
    return said[-1].rstrip(".")


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
