"""What one provider asks of its data center and its machines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_src.eks_anywhere.rules.machines import BARE_METAL, machine_groups
from lambda_src.eks_anywhere.rules.versions import KUBERNETES, minor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_src.eks_anywhere.specification import Place, Problem, Specification

_OS_FAMILIES = {"ubuntu", "redhat", "bottlerocket"}
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def vsphere(specification: Specification) -> Iterator[Problem]:
    """A template for the Kubernetes version, and machines that Kubernetes fits in."""
    for machine in specification.of_kind("VSphereMachineConfig"):
        spec = machine["spec"]
        for name, least in (("numCPUs", 1), ("memoryMiB", 1), ("diskGiB", 1)):
            if spec[name].value is not None and spec[name].value < least:
                yield spec[name].is_wrong("machine-size", f"{spec[name].value}: {least} or more")
        if spec["osFamily"].value not in _OS_FAMILIES:
            yield spec["osFamily"].is_wrong("os-family", _no_family(spec["osFamily"].value))
    for cluster, group, machine in _machines(specification, "VSphereMachineConfig"):
        yield from _image(machine["spec"]["template"], _version(cluster, group))


def bare_metal(specification: Specification) -> Iterator[Problem]:
    """Machines are chosen by their labels, and Tinkerbell has an address that the control plane does not have."""
    for machine in specification.of_kind("TinkerbellMachineConfig"):
        spec = machine["spec"]
        chosen = [name for name in ("hardwareSelector", "hardwareAffinity") if spec[name].value]
        if len(chosen) != 1:
            yield spec.is_wrong(
                "hardware", f"{' and '.join(chosen) or 'nothing'} chooses the hardware: one of selector and affinity"
            )
        elif len(spec["hardwareSelector"].value or {"one": ""}) != 1:
            yield spec["hardwareSelector"].is_wrong("hardware", "exactly one label, such as `type: worker`")
        if spec["osFamily"].value not in _OS_FAMILIES - {"bottlerocket"}:
            yield spec["osFamily"].is_wrong("os-family", f"{spec['osFamily'].value!r} on bare metal: ubuntu or redhat")
    for cluster, group, machine in _machines(specification, "TinkerbellMachineConfig"):
        yield from _image(machine["spec"]["osImageURL"], _version(cluster, group))
    for cluster in specification.clusters:
        host = cluster["spec"]["controlPlaneConfiguration"]["endpoint"]["host"]
        for datacenter in specification.of_kind(BARE_METAL):
            address = datacenter["spec"]["tinkerbellIP"]
            if address.value and address.value == host.value:
                yield address.is_wrong("tinkerbell", f"{address.value} is the control plane's: give another address")


def prism_central(specification: Specification) -> Iterator[Problem]:
    """Where Nutanix has its API, and by which secret it lets in."""
    for datacenter in specification.of_kind("NutanixDatacenterConfig"):
        spec = datacenter["spec"]
        if not spec["endpoint"].value:
            yield spec["endpoint"].is_wrong("prism-central", "names no host: the address of Prism Central")
        if not 1 <= spec["port"].value <= 65_535:
            yield spec["port"].is_wrong("prism-central", f"{spec['port'].value} is no port: 9440 as a rule")
        reference = spec["credentialRef"]
        if reference.value is not None and (reference["kind"].value != "Secret" or not reference["name"].value):
            yield reference.is_wrong("prism-central", "refers to no Secret: give `kind: Secret` and its name")
        bundle = spec["additionalTrustBundle"]
        if bundle.value and _PEM.search(bundle.value) is None:
            yield bundle.is_wrong("prism-central", "is no certificate in PEM form, with its first and last line")
        for domain in spec["failureDomains"].items:
            for place in (domain["cluster"], *domain["subnets"].items):
                yield from _identified(place)


def nutanix(specification: Specification) -> Iterator[Problem]:
    """What is named by id or by name, and an image for the Kubernetes version."""
    for machine in specification.of_kind("NutanixMachineConfig"):
        spec = machine["spec"]
        for named in ("cluster", "image", "subnet"):
            yield from _identified(spec[named])
        for category in spec["additionalCategories"].items:
            for part in ("key", "value"):
                if not category[part].value:
                    yield category[part].is_wrong("category", f"a category has no {part}")
        if spec["osFamily"].value not in _OS_FAMILIES - {"bottlerocket"}:
            yield spec["osFamily"].is_wrong("os-family", f"{spec['osFamily'].value!r} on Nutanix: ubuntu or redhat")
    for cluster, group, machine in _machines(specification, "NutanixMachineConfig"):
        yield from _image(machine["spec"]["image"]["name"], _version(cluster, group))


def users(specification: Specification) -> Iterator[Problem]:
    """A machine has one user, with a name; on bare metal nobody makes one up."""
    for kind in ("VSphereMachineConfig", "TinkerbellMachineConfig", "NutanixMachineConfig"):
        for machine in specification.of_kind(kind):
            listed = machine["spec"]["users"]
            if len(listed.items) > 1:
                yield listed.is_wrong("users", "a machine has one user, and these are more")
            if not listed.items and kind == "TinkerbellMachineConfig":
                yield listed.is_wrong("users", "a machine needs a user: a name, and the keys that may log in")
            for user in listed.items:
                if not user["name"].value:
                    yield user["name"].is_wrong("users", "the user has no name")


def _machines(specification: Specification, kind: str) -> Iterator[tuple[Place, Place, Place]]:
    for cluster in specification.clusters:
        for group in machine_groups(cluster):
            reference = group["machineGroupRef"]
            found = specification.find(reference["kind"].value, reference["name"].value)
            if found is not None and reference["kind"].value == kind:
                yield cluster, group, found


def _version(cluster: Place, group: Place) -> str:
    return str(group["kubernetesVersion"].value or cluster["spec"]["kubernetesVersion"].value)


def _image(image: Place, version: str) -> Iterator[Problem]:
    """Since EKS Anywhere 0.18, whose oldest Kubernetes is 1.24, an image says which Kubernetes is in it."""
    if KUBERNETES.fullmatch(version) is None or minor(version) < 24:
        return
    if image.value and re.search(re.escape(version).replace(r"\.", "[._-]?"), image.value) is None:
        yield image.is_wrong(
            "image-version",
            f"{image.value!r} does not say that Kubernetes {version} is in it: its name has to have {version}, "
            f"{version.replace('.', '-')}, {version.replace('.', '_')} or {version.replace('.', '')}",
        )


def _identified(place: Place) -> Iterator[Problem]:
    by = place["type"].value
    if not place[by].value:
        yield place.is_wrong("identifier", f"says that it has a {by}, and gives none")


def _no_family(given: str) -> str:
    return f"{given!r} is no operating system of EKS Anywhere: {', '.join(sorted(_OS_FAMILIES))}"
