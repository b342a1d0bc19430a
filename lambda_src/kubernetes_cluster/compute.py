"""What the pods of a cluster run on, and the add-ons that it needs there."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Compute(Enum):
    """Who looks after the machines.

    ``FARGATE``: AWS runs each pod of the named namespaces on a machine of its own, and no other pod at all; there are
    no daemon sets and no privileged pods. ``AUTO_MODE``: AWS adds, patches and removes EC2 instances in your account.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/eks-compute.html
    """

    FARGATE = "fargate"
    AUTO_MODE = "auto-mode"


#: The Kubernetes versions that this block makes, oldest first, and the versions of add-ons that AWS names for each.
#: Source: https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
#: Source: https://docs.aws.amazon.com/eks/latest/userguide/managing-kube-proxy.html
ADDONS: Mapping[str, Mapping[str, str]] = {
    "1.34": {"coredns": "v1.13.2-eksbuild.7", "kube-proxy": "v1.34.6-eksbuild.2"},
    "1.35": {"coredns": "v1.14.2-eksbuild.4", "kube-proxy": "v1.35.3-eksbuild.2"},
}


def default_addons(compute: Compute, kubernetes_version: str, *, hybrid_nodes: bool) -> dict[str, str]:
    """Name the add-ons that a cluster cannot do without, each with its version.

    Auto Mode has its own DNS, network and storage on every node. On Fargate AWS sees to the network of each pod. Hybrid
    nodes have neither: services are reached by kube-proxy there, and their names are known from CoreDNS.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/hybrid-nodes-add-ons.html
    """
    needed = {"coredns": hybrid_nodes or compute is Compute.FARGATE, "kube-proxy": hybrid_nodes}
    return {name: version for name, version in ADDONS[kubernetes_version].items() if needed[name]}


def configuration(addon: str, compute: Compute) -> dict[str, object] | None:
    """Tell an add-on where its pods run."""
    return {"computeType": "Fargate"} if addon == "coredns" and compute is Compute.FARGATE else None
