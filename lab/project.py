"""Where things are: the checkout that `lab` works in, and what it writes there."""

from __future__ import annotations

import os
from pathlib import Path

from lab.errors import LabError

ROOT = Path(__file__).resolve().parent.parent
# What `lab` writes: state, logs, cloud assemblies. The tests have a folder of their own for it.
LAB = Path(os.environ.get("SERVERLESS_LAB_HOME") or ROOT / ".lab").absolute()
ENVIRONMENTS = ROOT / ".environments"
CDK_CLI = ROOT / "node_modules" / ".bin" / "cdk"
SCRIPTS = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin")


def require_checkout() -> None:
    """Make sure that the app, the CDK CLI and a place to write are here.

    :raises LabError: saying which one is missing and what to do.
    """
    if not (ROOT / "cdk.json").is_file():
        raise LabError("`lab` runs inside a checkout of the project: clone it, and say `make lab` there.")
    if not CDK_CLI.exists() or not ENVIRONMENTS.is_dir():
        raise LabError("The set-up is not finished: `make lab` does it.")
    try:
        LAB.mkdir(parents=True, exist_ok=True)
        (LAB / "writable").touch()
    except OSError as error:
        raise LabError(f"{LAB} cannot be written ({error.strerror}): make it your own, or clone elsewhere.") from None


def python_of(environment: str) -> Path:
    """Find the interpreter of one of the environments that set-up made."""
    return ENVIRONMENTS / environment / SCRIPTS.name / "python"
