"""The folder that a host is installed from: the script, the activation's code in a file of its own, what it is for."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path

from lab.anywhere.activations import Activation
from lab.errors import LabError, UsageError

SCRIPT = "install.sh"
CODE = "activation-code"
_ABOUT = "activation.json"
_TEMPLATE = Path(__file__).with_name(SCRIPT)
_PLACEHOLDER = re.compile(r"@(\w+)@")


def script(activation: Activation, *, root: str = "") -> str:
    """Write the script that makes a host an external instance; the activation's code is not in it.

    :param root: where the host's files are, if that is not ``/``.
    """
    values = {
        "region": activation.region,
        "cluster": activation.cluster,
        "activation_id": activation.id,
        "expires": str(int(activation.expires.timestamp())),
        "root": root,
    }
    for name, value in values.items():
        # Between single quotes in the script; none of AWS's names has such a character.
        if re.fullmatch(r"[\w./ -]*", value) is None:
            raise ValueError(f"{name} is {value}")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], _TEMPLATE.read_text())


def prepare(folder: Path) -> None:
    """Make the folder, for its owner alone.

    :raises UsageError: when it is there already, or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise UsageError(f"{folder} is there already: name another with --out, or remove it.") from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}.") from None


def write(folder: Path, activation: Activation, code: str) -> None:
    """Write the files, each for its owner alone."""
    about = {name: value for name, value in activation.as_json().items() if name not in {"expired", "registered"}}
    _write(folder / SCRIPT, script(activation))
    _write(folder / CODE, f"{code}\n")
    _write(folder / _ABOUT, json.dumps(about, indent=2) + "\n")


def read(folder: Path) -> Activation:
    """Read what a folder is for.

    :raises UsageError: when it is none that ``lab anywhere register`` wrote.
    :raises LabError: when its activation has expired.
    """
    try:
        about = json.loads((folder / _ABOUT).read_text())
        activation = Activation(
            about["activation_id"],
            about["region"],
            about["cluster"],
            datetime.fromisoformat(about["expires"]),
            about["limit"],
            name=about["name"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{folder} is no folder that `lab anywhere register` wrote.") from None
    if activation.expired:
        raise LabError(
            f"The activation {activation.id} expired at {activation.expires:%Y-%m-%d %H:%M} UTC: "
            "`lab anywhere register` makes another, with another folder."
        )
    return activation


def code(folder: Path) -> str:
    """Read the activation's code.

    :raises LabError: when it is not there, as on a host that is registered.
    """
    try:
        return (folder / CODE).read_text().strip()
    except OSError:
        raise LabError(
            f"{folder / CODE} is not there any more: `lab anywhere register` makes another activation."
        ) from None


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read.

    :raises UsageError: when it is there already, or cannot be made.
    """
    try:
        _write(path, text)
    except FileExistsError:
        raise UsageError(f"{path} is there already: name another, or remove it.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def _write(path: Path, text: str) -> None:
    # With its mode from the first byte on, whatever the umask is.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
