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


#: The Kubernetes versions that this block makes, oldest first, and the version of CoreDNS that AWS names for each.
#: Source: https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
CORE_DNS: Mapping[str, str] = {"1.34": "v1.13.2-eksbuild.7", "1.35": "v1.14.2-eksbuild.4"}


def default_addons(compute: Compute, kubernetes_version: str) -> dict[str, str]:
    """Name the add-ons that a cluster cannot do without, each with its version.

    Auto Mode has its own DNS, network and storage on every node. On Fargate AWS sees to the network of each pod.
    """
    return {"coredns": CORE_DNS[kubernetes_version]} if compute is Compute.FARGATE else {}


def configuration(addon: str, compute: Compute) -> dict[str, object] | None:
    """Tell an add-on where its pods run."""
    return {"computeType": "Fargate"} if addon == "coredns" and compute is Compute.FARGATE else None
