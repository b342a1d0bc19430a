"""Which versions go together: of Kubernetes and EKS Anywhere, and of control plane and workers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_src.eks_anywhere.crds import kubernetes_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_src.eks_anywhere.specification import Place, Problem, Specification

#: A release of EKS Anywhere: v0.26.1, or a build of it.
RELEASE = re.compile(r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)([-+][0-9A-Za-z.+-]+)?")
#: A version of Kubernetes as specifications have it, without a patch.
KUBERNETES = re.compile(r"1\.(\d{2})")


def minor(kubernetes: str) -> int:
    """Return the minor version: 36 of ``1.36``.

    :raises ValueError: for what is no such version.
    """
    found = KUBERNETES.fullmatch(kubernetes)
    if found is None:
        raise ValueError(f"{kubernetes!r} is no Kubernetes version: write it as 1.36, without a patch")
    return int(found[1])


def eksa_minor(release: str) -> str:
    """Return the minor version of a release of EKS Anywhere: ``0.26`` of ``v0.26.1``."""
    return ".".join(release.removeprefix("v").split(".")[:2])


def kubernetes(specification: Specification) -> Iterator[Problem]:
    """Every version of EKS Anywhere has some of Kubernetes."""
    for cluster in specification.clusters:
        spec = cluster["spec"]
        for place in (spec["kubernetesVersion"], *_of_workers(cluster)):
            try:
                minor(place.value or "")
            except ValueError as error:
                yield place.is_wrong("kubernetes-version", str(error))
                continue
            yield from _supported(specification, spec, place)


def eks_anywhere(specification: Specification) -> Iterator[Problem]:
    """A release is named in one way."""
    for cluster in specification.clusters:
        release = cluster["spec"]["eksaVersion"]
        if release.value is None:
            continue
        if RELEASE.fullmatch(release.value) is None:
            yield release.is_wrong("eksa-version", f"{release.value!r} is no release: write it as v0.26.1")
        if cluster["spec"]["bundlesRef"].value is not None:
            yield cluster["spec"]["bundlesRef"].is_wrong(
                "eksa-version", "eksaVersion is given too, and says the same: leave bundlesRef out"
            )


def workers(specification: Specification) -> Iterator[Problem]:
    """Workers are never newer than their control plane, and never more than three minor versions older."""
    for cluster in specification.clusters:
        control_plane = cluster["spec"]["kubernetesVersion"].value or ""
        if KUBERNETES.fullmatch(control_plane) is None:
            continue
        behind = 3 if minor(control_plane) >= 28 else 2
        for place in _of_workers(cluster):
            if KUBERNETES.fullmatch(place.value) is None:
                continue
            if not minor(control_plane) - behind <= minor(place.value) <= minor(control_plane):
                yield place.is_wrong(
                    "worker-version",
                    f"{place.value} does not go with a control plane of {control_plane}: "
                    f"1.{minor(control_plane) - behind} to {control_plane}",
                )


def _of_workers(cluster: Place) -> list[Place]:
    versions = [group["kubernetesVersion"] for group in cluster["spec"]["workerNodeGroupConfigurations"].items]
    return [version for version in versions if version.value is not None]


def _supported(specification: Specification, spec: Place, place: Place) -> Iterator[Problem]:
    known = kubernetes_versions()
    made_by = eksa_minor(spec["eksaVersion"].value or specification.site.eksa_version or next(iter(known)))
    if made_by not in known:
        return  # a release that is newer than what we know of says itself what it has
    if place.value not in known[made_by]:
        yield place.is_wrong(
            "kubernetes-support",
            f"EKS Anywhere {made_by} has no Kubernetes {place.value}: {known[made_by][-1]} to {known[made_by][0]}",
        )
