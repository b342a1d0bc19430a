"""Whether this machine can build and run the images of a deployment, and on which base."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.engine.discovery import Engine

#: The environment variable that names the base for our images where no public registry can be reached.
BASE_IMAGE = "SERVERLESS_LAB_BASE_IMAGE"
_EMULATED = Path("/proc/sys/fs/binfmt_misc")
_EMULATORS = {"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}


def require_runnable(platforms: Iterable[str], engine: Engine) -> None:
    """Make sure that images for these platforms run here.

    :raises LabError: naming the one that does not, and what to do.
    """
    for platform in platforms:
        _, _, rest = platform.partition("/")
        architecture, _, _ = rest.partition("/")  # without its variant, as in linux/arm64/v8
        if not platform or architecture == engine.architecture or engine.desktop or _is_emulated(architecture):
            continue
        raise LabError(
            f"An image is for {platform}, and {engine.name} on this machine runs linux/{engine.architecture}: deploy "
            f"it for that, as with `-c architecture=...`, or have the machine emulate the other (on Debian and Ubuntu "
            "`apt install qemu-user-static`)."
        )


def build_arguments() -> dict[str, str]:
    """Name what our images are built on, if the user says so."""
    base = os.environ.get(BASE_IMAGE)
    return {"BASE_IMAGE": base, "BUSYBOX_IMAGE": base} if base else {}


def _is_emulated(architecture: str) -> bool:
    return (_EMULATED / _EMULATORS.get(architecture, "none")).exists()
