"""Finds the container engine of this machine: Docker or Podman, whichever is there and answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lab.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The environment variable that names the engine to use, or says ``none``.
CHOICE = "SERVERLESS_LAB_ENGINE"
#: What to do where there is no engine.
INSTALL = "install Docker or Podman, and see that `docker info` or `podman info` answers"
_SECONDS = 20
#: How an engine and Python call the same machine.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Engine:
    """An engine that answers.

    ``architecture`` is ``amd64`` or ``arm64``, or what else the engine calls it. ``address`` is where its API is; of
    Podman it has none before somebody starts it. ``desktop`` says that it runs in a virtual machine of Docker Desktop.
    """

    name: str
    version: str
    architecture: str
    rootless: bool
    desktop: bool = False
    address: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which its command reaches this very engine, whichever context is chosen by now.

        What it builds is in Docker's own format: what that can say and OCI's cannot, Podman would leave out.
        """
        address = {"DOCKER_HOST": self.address} if self.name == "docker" else {}
        return {**os.environ, "BUILDAH_FORMAT": "docker", **address}


def found() -> Engine | None:
    """Find the engine: Docker first, then Podman.

    :raises UsageError: when the environment names one that we do not know.
    """
    chosen = os.environ.get(CHOICE, "")
    if chosen not in {"", "docker", "podman", "none"}:
        raise UsageError(f"{CHOICE} is {chosen}: docker, podman or none; or leave it unset.")
    engine = _docker() if chosen in {"", "docker"} else None
    if engine is None and chosen in {"", "podman"}:
        engine = _podman()
    return engine


def _docker() -> Engine | None:
    info = _json_of(["docker", "info", "--format", "{{json .}}"])
    # Without a server the command answers too; and what some systems call `docker` is Podman.
    if not info.get("ServerVersion"):
        return None
    address = os.environ.get("DOCKER_HOST") or _answer_of(
        ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    )
    if not (address.startswith(("unix://", "npipe://")) or is_loopback(address)):
        return None  # on another machine, where what it publishes cannot be reached
    return Engine(
        "docker",
        info["ServerVersion"],
        _architecture(info.get("Architecture", "")),
        rootless=any("rootless" in option for option in info.get("SecurityOptions") or []),
        desktop=info.get("OperatingSystem") == "Docker Desktop",
        address=address,
    )


def _podman() -> Engine | None:
    info = _json_of(["podman", "info", "--format", "json"])
    host = info.get("host", {})
    if not host or host.get("serviceIsRemote"):  # in a virtual machine, which has Docker's API of its own
        return None
    return Engine(
        "podman",
        info["version"]["Version"],
        _architecture(host["arch"]),
        rootless=host["security"]["rootless"],
    )


def _architecture(name: str) -> str:
    return _ARCHITECTURES.get(name, name)


def _json_of(command: Sequence[str]) -> dict[str, Any]:
    try:
        read = json.loads(_answer_of(command))
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _answer_of(command: Sequence[str]) -> str:
    """Return what a command answers; nothing if it is not there, fails, or does not answer in time."""
    if not shutil.which(command[0]):
        return ""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
