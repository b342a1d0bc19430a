"""How many machines there are, what they are called, and which document describes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_src.eks_anywhere.specification import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_src.eks_anywhere.specification import Place, Specification

DOCKER = "DockerDatacenterConfig"
BARE_METAL = "TinkerbellDatacenterConfig"


DATACENTERS = {
    f"{name}DatacenterConfig" for name in ("CloudStack", "Docker", "Nutanix", "Snow", "Tinkerbell", "VSphere")
}


def machine_kind(cluster: Place) -> str:
    """Name the kind of machine that goes with the cluster's data center."""
    return str(cluster["spec"]["datacenterRef"]["kind"].value or "").replace("DatacenterConfig", "MachineConfig")


def machine_groups(cluster: Place) -> list[Place]:
    """Return the parts of a cluster that consist of machines."""
    spec = cluster["spec"]
    etcd = spec["externalEtcdConfiguration"]
    return [
        spec["controlPlaneConfiguration"],
        *([etcd] if etcd.value is not None else []),
        *spec["workerNodeGroupConfigurations"].items,
    ]


def no_cluster(specification: Specification) -> Iterator[Problem]:
    """Say that the one document is missing that everything else belongs to."""
    kinds = ", ".join(dict.fromkeys(str(one.get("kind")) for one in specification.documents)) or "nothing"
    yield Problem(0, (), "no-cluster", f"there is {kinds}, and no Cluster: one document has to be of kind Cluster")


def name(specification: Specification) -> Iterator[Problem]:
    """Containers and machines are called after the cluster, and host names have a longest length."""
    for cluster in specification.clusters:
        place = cluster["metadata"]["name"]
        if re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{0,34}", place.value) is None:
            yield place.is_wrong(
                "name", f"{place.value!r} is no name for a cluster: a letter, then letters, digits and -, 35 at most"
            )


def control_plane(specification: Specification) -> Iterator[Problem]:
    """With stacked etcd a control plane machine is a member of etcd, which needs an odd number to agree."""
    for cluster in specification.clusters:
        spec = cluster["spec"]
        count = spec["controlPlaneConfiguration"]["count"]
        if not count.value or count.value < 1:
            yield count.is_wrong("control-plane-count", "a control plane needs 1 machine or more: 3 or 5 in production")
        elif count.value % 2 == 0 and spec["externalEtcdConfiguration"].value is None:
            yield count.is_wrong(
                "control-plane-count",
                f"{count.value} is even: with etcd on the control plane, say {count.value - 1} or {count.value + 1}",
            )


def etcd(specification: Specification) -> Iterator[Problem]:
    """External etcd is a cluster of its own, which bare metal does not offer."""
    for cluster in specification.clusters:
        external = cluster["spec"]["externalEtcdConfiguration"]
        if external.value is None:
            continue
        count = external["count"]
        if not count.value or count.value < 1:
            yield count.is_wrong("etcd-count", "external etcd needs 1 member or more: 3 or 5 in production")
        elif count.value % 2 == 0:
            yield count.is_wrong("etcd-count", f"{count.value} is even: say {count.value - 1} or {count.value + 1}")
        if cluster["spec"]["datacenterRef"]["kind"].value == BARE_METAL:
            yield external.is_wrong("etcd-bare-metal", "bare metal has etcd on its control plane: leave this out")


def workers(specification: Specification) -> Iterator[Problem]:
    """Groups have names of their own and machines, and pods have somewhere to go."""
    for cluster in specification.clusters:
        spec = cluster["spec"]
        listed = spec["workerNodeGroupConfigurations"]
        if not listed.items and spec["datacenterRef"]["kind"].value != BARE_METAL:
            yield listed.is_wrong("workers", "there is no group of worker machines, and only bare metal does without")
        if not listed.items and spec["controlPlaneConfiguration"]["taints"].value:
            yield spec["controlPlaneConfiguration"]["taints"].is_wrong(
                "workers", "a tainted control plane needs workers: without them, no pod has anywhere to go"
            )
        names: set[str] = set()
        for number, group in enumerate(listed.items):
            yield from _group(group, names, is_first=number == 0)
        if listed.items and _manages_itself(cluster) and all(map(_repels, listed.items)):
            yield listed.is_wrong(
                "worker-taints", "every group has a taint NoSchedule or NoExecute: one has to take the cluster's own"
            )


def references(specification: Specification) -> Iterator[Problem]:
    """What is referred to is there, is of the right kind, and in the same namespace."""
    for cluster in specification.clusters:
        datacenter = cluster["spec"]["datacenterRef"]
        yield from refers(specification, cluster, datacenter, DATACENTERS)
        if datacenter["kind"].value not in DATACENTERS - {DOCKER}:
            continue
        for group in machine_groups(cluster):
            yield from refers(specification, cluster, group["machineGroupRef"], {machine_kind(cluster)})


def refers(specification: Specification, cluster: Place, reference: Place, kinds: set[str]) -> Iterator[Problem]:
    """Follow a reference of the cluster."""
    kind, called = reference["kind"], reference["name"]
    if reference.value is None or not called.value:
        yield reference.is_wrong("reference", f"names none: give the kind, {', '.join(sorted(kinds))}, and the name")
    elif kind.value not in kinds:
        yield kind.is_wrong("reference", f"{kind.value} does not go here: {', '.join(sorted(kinds))}")
    elif (found := specification.find(kind.value, called.value)) is None:
        yield called.is_wrong("reference", f"no {kind.value} here is called {called.value!r}")
    elif _namespace(found) != _namespace(cluster):
        yield found["metadata"]["namespace"].is_wrong(
            "namespace", f"{_namespace(found)!r} is not the cluster's namespace, {_namespace(cluster)!r}"
        )


def _namespace(document: Place) -> str:
    return document["metadata"]["namespace"].value or "default"


def _group(group: Place, names: set[str], *, is_first: bool) -> Iterator[Problem]:
    called, count, scaling = group["name"], group["count"], group["autoscalingConfiguration"]
    if not called.value and not is_first:  # EKS Anywhere calls the first one md-0
        yield called.is_wrong("worker-name", "a group of worker machines needs a name, such as md-0")
    elif called.value in names:
        yield called.is_wrong("worker-name", f"{called.value!r} is the name of two groups")
    names.add(called.value)
    if count.value is not None and (count.value < 0 or (count.value == 0 and scaling.value is None)):
        yield count.is_wrong(
            "worker-count", f"{count.value} machines are no group: say 1 or more, or give an autoscalingConfiguration"
        )
    least, most = scaling["minCount"].value or 0, scaling["maxCount"].value or 0
    if scaling.value is not None and not 0 <= least <= (least if count.value is None else count.value) <= most:
        yield scaling.is_wrong(
            "autoscaling", f"{least} to {most} machines, of which {count.value} now: 0 <= minCount <= count <= maxCount"
        )


def _manages_itself(cluster: Place) -> bool:
    return cluster["spec"]["managementCluster"]["name"].value in (None, "", cluster["metadata"]["name"].value)


def _repels(group: Place) -> bool:
    return any(taint["effect"].value in {"NoSchedule", "NoExecute"} for taint in group["taints"].items)
