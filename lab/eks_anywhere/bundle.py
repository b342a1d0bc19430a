"""What a cluster without the Internet has to be given: the kit's list, and how it is brought in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.errors import LabError
from lambda_src.eks_anywhere.rules.machines import BARE_METAL, DOCKER
from lambda_src.eks_anywhere.rules.versions import eksa_minor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.eks_d.releases import Release
    from lambda_src.eks_anywhere.specification import Document

#: What has to be there in a registry, as its projects, before images are imported.
PROJECTS = ["bottlerocket", "cilium-chart", "eks", "eks-anywhere", "eks-distro"]
_PACKAGES = "783794618700.dkr.ecr.us-west-2.amazonaws.com"
# What a bundle has for one provider alone.
_OF_PROVIDERS = {
    "CloudStack": "cloudStack",
    "Docker": "docker",
    "Nutanix": "nutanix",
    "Snow": "snow",
    "Tinkerbell": "tinkerbell",
    "VSphere": "vSphere",
}


@dataclass(frozen=True)
class KitImage:
    """An image or a chart, where it comes from and where it goes."""

    source: str
    digest: str | None
    mirrored: str


@dataclass
class Kit:
    """Everything that has to be inside before the first machine starts."""

    cluster: str
    mirror: str
    projects: Sequence[str]
    commands: list[str]
    files: list[str] = field(default_factory=list)
    images: list[KitImage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {**vars(self), "projects": list(self.projects), "images": [vars(image) for image in self.images]}


def kit(documents: Sequence[Document], release: Release | None, manifest: Mapping[str, Any] | None = None) -> Kit:
    """List what a specification's cluster needs.

    :param documents: a specification in which nothing is wrong.
    :param release: of EKS Distro, whose images are listed where there is no ``manifest``.
    :param manifest: the bundle's, ``bundle-release.yaml``, which names every image with its digest.
    :raises LabError: for a cluster that has no registry mirror, or a manifest without its Kubernetes version.
    """
    cluster = next(document for document in documents if document.get("kind") == "Cluster")
    spec, name = cluster["spec"], cluster["metadata"]["name"]
    mirror = spec.get("registryMirrorConfiguration")
    if mirror is None:
        raise LabError(f"{name} pulls from the Internet: give it a registryMirrorConfiguration, then again.")
    registry = f"{mirror['endpoint']}:{mirror.get('port', '443')}"
    made = Kit(name, registry, PROJECTS, [*_commands(spec, mirror, registry)])
    made.files += _machine_images(documents)
    if manifest is not None:
        made.images += _of_bundle(manifest, spec, mirror)
    elif release is not None:
        made.images += [KitImage(one.uri, one.digest, mirrored(one.uri, mirror)) for one in release.images]
        made.notes.append(
            f"The images are those of EKS Distro {release.name} alone: with --manifest "
            "eks-anywhere-downloads/bundle-release.yaml, all of them are listed, with their digests."
        )
    made.notes += _notes(spec, mirror)
    return made


def mirrored(image: str, mirror: Mapping[str, Any]) -> str:
    """Return the address that an image has in a registry mirror."""
    registry, _, path = image.partition("/")
    namespaces = {one["registry"]: one["namespace"] for one in mirror.get("ociNamespaces", [])}
    parts = [f"{mirror['endpoint']}:{mirror.get('port', '443')}", namespaces.get(registry, ""), path]
    return "/".join(filter(None, parts))


def _commands(spec: Document, mirror: Mapping[str, Any], registry: str) -> Iterator[str]:
    yield "eksctl anywhere version"
    yield "eksctl anywhere download artifacts"
    yield "tar -xvf eks-anywhere-downloads.tar.gz"
    yield "eksctl anywhere download images -o images.tar"
    insecure = " --insecure" if mirror.get("insecureSkipVerify") else ""
    yield (
        f"eksctl anywhere import images -i images.tar -r {registry}{insecure} "
        "--bundles ./eks-anywhere-downloads/bundle-release.yaml"
    )
    if not spec.get("packages", {}).get("disable"):
        sources = [one["registry"] for one in mirror.get("ociNamespaces", []) if ".dkr.ecr." in one["registry"]]
        yield (
            f"eksctl anywhere copy packages {registry}/eks-anywhere --kube-version {spec['kubernetesVersion']} "
            f"--src-chart-registry public.ecr.aws/eks-anywhere --src-image-registry {(*sources, _PACKAGES)[0]}"
        )


def _machine_images(documents: Sequence[Document]) -> Iterator[str]:
    for document in documents:
        spec = document.get("spec", {})
        for name in ("template", "osImageURL", "hookImagesURLPath", "hookIsoURL"):
            if name in spec and not isinstance(spec[name], dict):
                yield spec[name]
        if document["kind"] == "NutanixMachineConfig" and "name" in spec["image"]:
            yield spec["image"]["name"]


def _of_bundle(manifest: Mapping[str, Any], spec: Document, mirror: Mapping[str, Any]) -> list[KitImage]:
    version = spec["kubernetesVersion"]
    bundles = _bundles(manifest)
    found = next((one for one in bundles if str(one.get("kubeVersion")) == version), None)
    if found is None:
        listed = ", ".join(str(one.get("kubeVersion")) for one in bundles) or "none"
        raise LabError(f"The bundle has no Kubernetes {version}: {listed}. Take that of the EKS Anywhere you use.")
    provider = _OF_PROVIDERS.get(spec["datacenterRef"]["kind"].removesuffix("DatacenterConfig"))
    needed = {name: part for name, part in found.items() if name not in {*_OF_PROVIDERS.values()} - {provider}}
    images = {one["uri"]: one.get("imageDigest") for one in _images(needed)}
    return [KitImage(uri, digest, mirrored(uri, mirror)) for uri, digest in sorted(images.items())]


def _bundles(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    spec = manifest.get("spec", {})
    bundles = spec.get("versionsBundles", []) if isinstance(spec, dict) else None
    if not isinstance(bundles, list) or not all(isinstance(one, dict) for one in bundles):
        raise LabError("This is no bundle manifest of EKS Anywhere: its spec has no list of versionsBundles.")
    return bundles


def _images(part: Any) -> Iterator[Mapping[str, Any]]:
    """Find the images and charts in a part of a bundle: what has a place in a registry, and no URL."""
    if isinstance(part, dict):
        if isinstance(part.get("uri"), str) and "://" not in part["uri"] and ":" in part["uri"]:
            yield part
        for one in part.values():
            yield from _images(one)


def _notes(spec: Document, mirror: Mapping[str, Any]) -> Iterator[str]:
    yield "80 GB of disk on the admin machine, an amd64 one, and Docker on it."
    if mirror.get("authenticate"):
        yield "The registry asks who pulls: set REGISTRY_USERNAME and REGISTRY_PASSWORD on the admin machine."
    if "eksaVersion" in spec:
        yield f"Use eksctl anywhere {eksa_minor(spec['eksaVersion'])}: a bundle is of one release."
    if spec["datacenterRef"]["kind"] == BARE_METAL:
        yield "Bare metal fetches operating system and Hook from URLs inside: put the files above there."
    if spec["datacenterRef"]["kind"] == DOCKER:
        yield "Docker needs no registry mirror: EKS Anywhere supports one with the other providers."
    if not spec.get("packages", {}).get("disable"):
        yield "Curated packages need an Enterprise subscription; without one, say packages.disable: true."
