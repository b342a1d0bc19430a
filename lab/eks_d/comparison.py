"""Two releases of EKS Distro against each other, and a cluster's images against a release."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lab.eks_d.image_names import ImageName
from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.eks_d.releases import Image, Release


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
    UNTOLD = "named by a digest, which only a manifest of the release can tell"
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
        wrong = next((line for line in found if ImageName.parse(line) is None), None)
        if wrong is not None:
            raise UsageError(f"{name}: {wrong!r} is no image, such as registry.example.com/web:v1.") from None
    else:
        found = [*_in_objects(document)]
    if not found:
        raise UsageError(f"{name} names no image: one a line, or what `kubectl get pods -A -o json` prints.")
    return found


def _in_objects(part: Any, running: Mapping[str, str] | None = None) -> Iterator[str]:
    """Find the names of images.

    :param running: of the pod that ``part`` is in, the digest of what each container runs.
    """
    if isinstance(part, list):
        for one in part:
            yield from _in_objects(one, running)
    elif isinstance(part, dict):
        running = _running(part.get("status")) or running or {}
        for key, one in part.items():
            if key == "image" and isinstance(one, str):
                # The status of a pod may have an image's id there, beside its name in the spec.
                if named := ImageName.parse(one):
                    yield one if named.digest else _with_digest(one, running.get(part.get("name", "")))
            elif key == "images" and isinstance(one, list):
                yield from filter(None, (_of_a_node(image.get("names") or []) for image in one))
            else:
                yield from _in_objects(one, running)


def _running(status: Any) -> dict[str, str]:
    """Read which digest each container of a pod runs, by its name: a tag in the spec may be anything by now.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus
    """
    if not isinstance(status, dict):
        return {}
    found = {}
    for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for container in status.get(kind) or []:
            # Docker writes docker-pullable:// before it. The id of an image, which it may be too, is no digest of it.
            _, _, image = (container.get("imageID") or "").rpartition("://")
            if (named := ImageName.parse(image)) and named.digest:
                found[container.get("name", "")] = named.digest
    return found


def _of_a_node(names: Sequence[str]) -> str | None:
    """Put together what a node calls one image: by its tag in one name, by its digest in another."""
    known = [(name, parsed) for name in names if (parsed := ImageName.parse(name))]
    if not known:
        return None
    name, last = known[-1]
    same = (one.digest for _, one in known if (one.registry, one.repository) == (last.registry, last.repository))
    digest = None if last.digest else next(filter(None, same), None)
    return _with_digest(name, digest)


def _with_digest(name: str, digest: str | None) -> str:
    return f"{name}@{digest}" if digest else name


def _checked(image: str, release: Release) -> Checked:
    named = ImageName.parse(image)
    expected = _same_repository(named, release) if named else None
    if named is None or expected is None:
        return Checked(image, Verdict.UNKNOWN, None)
    return Checked(image, _verdict(named, expected), expected.uri)


def _verdict(named: ImageName, expected: Image) -> Verdict:
    if named.digest and expected.digest:
        if named.digest == expected.digest:
            return Verdict.OF_THE_RELEASE
        return Verdict.CHANGED if named.tag == expected.tag else Verdict.OTHER_RELEASE
    if named.tag and named.tag != expected.tag:
        return Verdict.OTHER_RELEASE
    # An engine goes by the digest, whatever the tag says beside it.
    return Verdict.UNTOLD if named.digest else Verdict.OF_THE_RELEASE if named.tag else Verdict.OTHER_RELEASE


def _same_repository(named: ImageName, release: Release) -> Image | None:
    # A mirror has a project before the name, and EKS Anywhere's tag is the release's with more after it.
    path = f"/{named.repository}"
    return next((one for one in release.images if path.endswith(f"/eks-distro/{one.repository}")), None)
