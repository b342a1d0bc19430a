#!/usr/bin/env python3
"""What the CDK CLI calls in the place of `docker` for image assets: CDK_DOCKER.

Whatever builds, names and inspects images is the engine's own command. Two things are not. The registry of the emulator
needs no login, and a login would be kept in the user's own settings. And the image is pushed over loopback from here,
since an engine may be in a virtual machine with a loopback of its own, or insist on TLS.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from lab.ecr import oci
from lab.engine import archives, service
from lab.errors import LabError
from lab.loopback import is_loopback

if TYPE_CHECKING:
    from lab.engine.discovery import Engine


def main(words: list[str]) -> int:
    """Do what the words say; return the exit status.

    :raises LabError: for a registry that is not on this machine.
    """
    lent = service.lent()
    if lent is None:
        raise LabError("No container engine is lent to the emulator: `lab up` does that.")
    engine = lent.engine
    if words[:1] == ["login"]:
        _require_loopback(words[-1])
        sys.stdin.read()  # the password
        return 0
    if words[:1] == ["push"]:
        _push(engine, words[-1])
        return 0
    return subprocess.run([engine.name, *words], env=engine.environment, check=False).returncode


def _push(engine: Engine, reference: str) -> None:
    host, _, path = reference.partition("/")
    _require_loopback(host)
    repository, _, tag = path.rpartition(":")
    digest = oci.Registry(f"http://{host}", None).push(repository, archives.image(engine, reference), tag)
    print(f"{tag}: digest: {digest}")


def _require_loopback(registry: str) -> None:
    if not is_loopback(registry if "://" in registry else f"//{registry}"):
        raise LabError(f"{registry} is not on this machine: refused. A local run pushes to the emulator alone.")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (LabError, OSError) as error:
        sys.exit(str(error))
