"""Releases of EKS Distro: a channel for each minor version of Kubernetes, and in it numbered releases.

``upstream/releases.json`` has the two newest of each channel that is supported, as EKS Distro's own documentation lists
them, with the commit that they come from. Digests and archives are in a release's manifest alone, which is read from a
file: https://distro.eks.amazonaws.com/kubernetes-1-36/kubernetes-1-36-eks-7.yaml, for one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PINNED = Path(__file__).with_name("upstream") / "releases.json"
_VERSION = re.compile(r"(?:v|kubernetes-)?1[.-](\d{2})(?:-eks-(\d+)|-(\d+))?")


@dataclass(frozen=True)
class Image:
    """A container image; its digest is known from a manifest."""

    uri: str
    digest: str | None = None

    @property
    def repository(self) -> str:
        """Return its name without tag and registry: ``kubernetes/kube-proxy``."""
        return self.uri.partition("/")[2].rpartition(":")[0].removeprefix("eks-distro/")

    @property
    def tag(self) -> str:
        """Return its tag."""
        return self.uri.rpartition(":")[2]

    def as_json(self) -> dict[str, str | None]:
        """Return the object that ``--json`` prints for it."""
        return {"uri": self.uri, "digest": self.digest}


@dataclass(frozen=True)
class Archive:
    """A file to download, and what proves that it came whole."""

    uri: str
    sha256: str | None
    sha512: str | None


@dataclass(frozen=True)
class Component:
    """A part of a release: its version, its images and its files."""

    name: str
    version: str
    images: Sequence[Image] = ()
    archives: Sequence[Archive] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints for it."""
        return {
            "name": self.name,
            "version": self.version,
            "images": [image.as_json() for image in self.images],
            "archives": [vars(archive) for archive in self.archives],
        }


@dataclass(frozen=True)
class Release:
    """A release: its channel, such as ``1-36``, its number there, and what is in it."""

    channel: str
    number: int
    components: Sequence[Component]

    @property
    def name(self) -> str:
        """Return its name: ``v1-36-eks-7``."""
        return f"v{self.channel}-eks-{self.number}"

    @property
    def images(self) -> list[Image]:
        """Return the images of all components."""
        return [image for component in self.components for image in component.images]

    @property
    def manifest_url(self) -> str:
        """Return where AWS publishes its manifest."""
        return (
            f"https://distro.eks.amazonaws.com/kubernetes-{self.channel}/"
            f"kubernetes-{self.channel}-eks-{self.number}.yaml"
        )

    def image(self, repository: str) -> Image:
        """Find an image by its name without registry and tag.

        :raises LabError: when the release has none.
        """
        for image in self.images:
            if image.repository == repository:
                return image
        raise LabError(f"EKS Distro {self.name} has no image {repository}.")

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "name": self.name,
            "channel": self.channel,
            "number": self.number,
            "manifest": self.manifest_url,
            "components": [component.as_json() for component in self.components],
        }


@cache
def pinned() -> Sequence[Release]:
    """Return the releases that come with the project, the newest first."""
    kept: Mapping[str, Any] = json.loads(PINNED.read_text())
    releases = [
        Release(
            one["channel"],
            one["number"],
            [Component(name, version, [Image(uri)]) for name, version, uri in one["components"]],
        )
        for one in kept["releases"]
    ]
    return sorted(releases, key=lambda one: (one.channel, one.number), reverse=True)


def find(version: str) -> Release:
    """Find a release that comes with the project: ``1.36``, its channel's newest, or ``1-36-eks-7``.

    :raises UsageError: for one that does not, saying which do.
    """
    asked = _VERSION.fullmatch(version)
    if asked is None:
        raise UsageError(f"{version} is no version: a channel such as 1.36, or a release of it such as 1-36-eks-7.")
    channel, number = f"1-{asked[1]}", asked[2] or asked[3]
    of_channel = [one for one in pinned() if one.channel == channel]
    found = next((one for one in of_channel if number is None or one.number == int(number)), None)
    if found is None:
        have = ", ".join(one.name for one in of_channel or pinned())
        raise UsageError(
            f"EKS Distro {version} is not among the releases that come with this project ({have}): download its "
            "manifest, and say --manifest FILE."
        )
    return found


def read(text: str, name: str) -> Release:
    """Read a release manifest.

    :param name: of the file, for errors.
    :raises UsageError: for what is none.
    """
    import yaml  # noqa: PLC0415 - not for `lab --help`

    try:
        manifest = yaml.safe_load(text)
        if manifest["kind"] != "Release" or not manifest["apiVersion"].startswith("distro.eks.amazonaws.com/"):
            raise UsageError(f"{name} is no release manifest of EKS Distro: it is of kind {manifest['kind']}.")
        spec, components = manifest["spec"], manifest["status"]["components"]
        return Release(str(spec["channel"]), int(spec["number"]), [_component(one) for one in components])
    except yaml.YAMLError as error:
        raise UsageError(f"{name} is no YAML: {' '.join(str(error).split())}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{name} is no release manifest of EKS Distro: {type(error).__name__}: {error}.") from None


def _component(given: Mapping[str, Any]) -> Component:
    images, archives = [], []
    for asset in given["assets"]:
        if "image" in asset:
            images.append(Image(asset["image"]["uri"], asset["image"].get("imageDigest")))
        elif "archive" in asset:
            archive = asset["archive"]
            archives.append(Archive(archive["uri"], archive.get("sha256"), archive.get("sha512")))
    return Component(given["name"], given.get("gitTag", ""), images, archives)
