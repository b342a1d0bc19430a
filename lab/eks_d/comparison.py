"""Two releases of EKS Distro against each other, and a cluster's images against a release."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.eks_d.releases import Image, Release

_IMAGE = re.compile(r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+(:[\w][\w.-]*)?(@sha256:[0-9a-f]{64})?")


@dataclass(frozen=True)
class Difference:
    """A component that two releases do not have alike."""

    component: str
    before: str | None
    after: str | None

    def as_json(self) -> dict[str, str | None]:
        """Return the object that ``--json`` prints for it."""
        return vars(self)


class Verdict(str, Enum):
    """What an image of a cluster is to a release."""

    OF_THE_RELEASE = "of the release"
    OTHER_RELEASE = "of another release"
    CHANGED = "changed"
    UNKNOWN = "not of EKS Distro"


@dataclass(frozen=True)
class Checked:
    """An image that a cluster runs, and what it is."""

    image: str
    verdict: Verdict
    expected: str | None

    def as_json(self) -> dict[str, str | None]:
        """Return the object that ``--json`` prints for it."""
        return {"image": self.image, "verdict": self.verdict.value, "expected": self.expected}


def compare(before: Release, after: Release) -> list[Difference]:
    """Find which components have another version, or are in one of the releases alone."""
    old, new = ({one.name: one.version for one in release.components} for release in (before, after))
    names = dict.fromkeys([*old, *new])
    return [Difference(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def check(images: Sequence[str], release: Release) -> list[Checked]:
    """Hold the images of a cluster against a release; a registry mirror's address is as good as AWS's."""
    return [_checked(image, release) for image in dict.fromkeys(images)]


def images_of(text: str, name: str) -> list[str]:
    """Read images: one a line, or what ``kubectl get pods -A -o json`` or ``kubectl get nodes -o json`` prints.

    :param name: of the file, for errors.
    :raises UsageError: where there are none, or a line is none.
    """
    try:
        document = json.loads(text)
    except ValueError:
        found = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        wrong = next((line for line in found if _IMAGE.fullmatch(line) is None), None)
        if wrong is not None:
            raise UsageError(f"{name}: {wrong!r} is no image, such as registry.example.com/web:v1.") from None
    else:
        found = [*_in_objects(document)]
    if not found:
        raise UsageError(f"{name} names no image: one a line, or what `kubectl get pods -A -o json` prints.")
    return found


def _in_objects(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from _in_objects(one)
    elif isinstance(part, dict):
        for key, one in part.items():
            if key == "image" and isinstance(one, str):
                yield one
            elif key == "images" and isinstance(one, list):  # of a node: each with several names
                yield from (named["names"][-1] for named in one if named.get("names"))
            else:
                yield from _in_objects(one)


def _checked(image: str, release: Release) -> Checked:
    named, _, digest = image.partition("@")
    expected = _same_repository(named, release)
    if expected is None:
        return Checked(image, Verdict.UNKNOWN, None)
    tag = named.rpartition(":")[2] if ":" in named.rpartition("/")[2] else ""
    if digest and expected.digest:
        verdict = Verdict.OF_THE_RELEASE if digest == expected.digest else Verdict.CHANGED
        if verdict is Verdict.CHANGED and tag != expected.tag:
            verdict = Verdict.OTHER_RELEASE
    elif tag:
        verdict = Verdict.OF_THE_RELEASE if tag == expected.tag else Verdict.OTHER_RELEASE
    else:
        verdict = Verdict.UNKNOWN  # a digest alone says nothing where the release has none to compare with
    return Checked(image, verdict, expected.uri)


def _same_repository(named: str, release: Release) -> Image | None:
    path = named.partition("/")[2]
    last = path.rpartition("/")[2].partition(":")[0]
    repository = f"{path.rpartition('/')[0]}/{last}"
    # A mirror has a project before the name, and EKS Anywhere's tag is the release's with more after it.
    matching = [one for one in release.images if f"/{repository}".endswith(f"/eks-distro/{one.repository}")]
    return matching[0] if matching else None
