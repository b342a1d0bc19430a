"""Reads images out of an engine, for registries that the engine itself cannot push to."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab.ecr import oci
from lab.errors import LabError

if TYPE_CHECKING:
    from lab.engine.discovery import Engine


def image(engine: Engine, reference: str) -> oci.Image:
    """Read the image that an engine has by this name.

    :raises LabError: when it gives none, with what it says.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        save = [engine.name, "save", "--output", str(archive), reference]
        saved = subprocess.run(save, env=engine.environment, capture_output=True, text=True, check=False)
        if saved.returncode:
            raise LabError(f"{engine.name} could not save {reference}: {saved.stderr.strip()}")
        return oci.from_archive(archive)
