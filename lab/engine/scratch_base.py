"""Makes a base for our images out of nothing but a static BusyBox, where no registry can be reached.

``export $(python -m lab.engine.scratch_base)`` has every later deployment of the lab build on it.
Debian and Ubuntu have the program: ``apt install busybox-static``.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from lab.engine import discovery
from lab.engine.images import BASE_IMAGE
from lab.errors import LabError

NAME = "localhost/serverless-lab-base:1"
_BUSYBOX = Path("/bin/busybox")
_DOCKERFILE = "FROM scratch\nCOPY busybox /bin/busybox\n"
_INTERPRETER = 3  # the kind of an ELF program header that names a dynamic loader


def build(busybox: Path = _BUSYBOX) -> str:
    """Build it, and return its name.

    :raises LabError: when there is no engine, or no static BusyBox.
    """
    engine = discovery.found()
    if engine is None:
        raise LabError(f"No container engine answers: {discovery.INSTALL}.")
    if not (busybox.exists() and _is_static(busybox.read_bytes())):
        raise LabError(f"{busybox} is no static BusyBox: on Debian and Ubuntu `apt install busybox-static`.")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(busybox, Path(folder) / "busybox")
        (Path(folder) / "Dockerfile").write_text(_DOCKERFILE)
        built = subprocess.run(
            [engine.name, "build", "--tag", NAME, folder],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    if built.returncode:
        raise LabError(f"{engine.name} could not build {NAME}: {built.stderr.strip()}")
    return NAME


def _is_static(program: bytes) -> bool:
    """Say whether a program of 64 bits needs no loader, and so no other file."""
    if program[:5] != b"\x7fELF\x02":
        return False
    (offset,) = struct.unpack_from("<Q", program, 32)
    size, number = struct.unpack_from("<HH", program, 54)
    kinds = [struct.unpack_from("<I", program, offset + size * index)[0] for index in range(number)]
    return _INTERPRETER not in kinds


if __name__ == "__main__":
    try:
        print(f"{BASE_IMAGE}={build(*map(Path, sys.argv[1:2]))}")
    except LabError as error:
        sys.exit(str(error))
