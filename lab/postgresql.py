"""Installs the PostgreSQL behind the emulator's Aurora when a section first needs it: it is too large for every lab."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.project import ROOT, python_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab.progress import Progress


def install_for(assembly: Path, progress: Progress) -> None:
    """Make the environment that it is in, if a template of the cloud assembly has a cluster that needs it.

    :raises LabError: when it cannot be installed; the message says why.
    """
    if python_of("postgresql").exists() or not any(map(_needs_it, assembly.rglob("*.template.json"))):
        return
    progress.step("Installing PostgreSQL for the emulator, once (20 MB)")
    done = subprocess.run(
        [sys.executable, ROOT / "set_up.py", "postgresql"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"PostgreSQL for the emulator could not be installed: {done.stderr.strip().splitlines()[-1]}")


def _needs_it(template: Path) -> bool:
    resources = json.loads(template.read_text()).get("Resources", {}).values()
    return any(
        resource["Type"] == "AWS::RDS::DBCluster" and resource["Properties"].get("Engine") == "aurora-postgresql"
        for resource in resources
    )
