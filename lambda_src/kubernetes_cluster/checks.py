"""What a cluster's options may be, each by itself and together."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2

from lambda_src.kubernetes_cluster.compute import ADDONS, Compute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_src.options import Options

_WIDEST = 8
_PRIVATE = [ipaddress.IPv4Network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
# One of these, which Amazon EKS chooses when it makes a cluster that was given none.
# Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
_SERVICES = [ipaddress.IPv4Network(one) for one in ("10.100.0.0/16", "172.20.0.0/16")]
_NAME = r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}"
# RFC 1123, as Kubernetes takes it for a namespace.
_NAMESPACE = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def check_name(options: Options, name: str) -> None:
    """A name that Amazon EKS takes."""
    permitted = "1 to 100 letters, digits, - and _, the first of them a letter or a digit"
    options.require(re.fullmatch(_NAME, name) is not None, "cluster_name", name, permitted)


def check_version(options: Options, version: str, addons: Mapping[str, str]) -> None:
    """A version that AWS supports, and add-ons whose versions are exact."""
    options.require(version in ADDONS, "kubernetes_version", version, f"one of {', '.join(ADDONS)}")
    for name, addon_version in addons.items():
        exact = re.fullmatch(r"v\d+\.\d+\.\d+-eksbuild\.\d+", addon_version) is not None
        permitted = "an exact one, such as v1.14.2-eksbuild.4; `aws eks describe-addon-versions` lists them"
        options.require(exact, f"addons, version of {name}", addon_version, permitted)


def check_compute(options: Options, compute: Compute, namespaces: Sequence[str]) -> None:
    """Namespaces for Fargate, and for nothing else."""
    if compute is Compute.AUTO_MODE:
        permitted = "none with Auto Mode, which runs the pods of every namespace"
        options.require(not namespaces, "fargate_namespaces", ", ".join(namespaces), permitted)
        return
    options.require(1 <= len(namespaces) <= 4, "fargate_namespaces", f"{len(namespaces)} names", "1 to 4 of them")
    for name in namespaces:
        fits = re.fullmatch(_NAMESPACE, name) is not None
        options.require(fits, "fargate_namespaces", name, "1 to 63 lower case letters, digits and hyphens")


def check_networks(
    options: Options, public_access_from: Sequence[str], remote_nodes: Sequence[str], remote_pods: Sequence[str]
) -> None:
    """Addresses that are some: a public endpoint is never open to everybody."""
    for option, blocks in (
        ("public_access_from", public_access_from),
        ("remote_node_networks", remote_nodes),
        ("remote_pod_networks", remote_pods),
    ):
        for block in blocks:
            network = _network(block)
            options.require(network is not None, option, block, "an IPv4 network, such as 203.0.113.0/24")
            if option == "public_access_from":
                everybody = network is not None and network.prefixlen < _WIDEST
                options.require(
                    not everybody, option, block, "not everybody: name the networks of your own, /8 at most"
                )
    options.require(
        bool(remote_nodes) or not remote_pods, "remote_pod_networks", ", ".join(remote_pods), "remote_node_networks too"
    )


def check_remote_networks(
    options: Options, vpc: ec2.IVpc, remote_nodes: Sequence[str], remote_pods: Sequence[str]
) -> None:
    """Private networks, each apart from the others, from the VPC, and from what the cluster gives its services.

    The VPC's addresses are held against them where they are known before it is deployed.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/hybrid-nodes-networking.html
    """
    remote = [
        (option, network)
        for option, blocks in (("remote_node_networks", remote_nodes), ("remote_pod_networks", remote_pods))
        for block in blocks
        if (network := _network(block))
    ]
    taken = {
        **{str(network): f"services, which may have {network}" for network in _SERVICES},
        **({str(addresses): f"the VPC, which has {addresses}"} if (addresses := _addresses(vpc)) else {}),
    }
    for number, (option, network) in enumerate(remote):
        private = any(network.subnet_of(one) for one in _PRIVATE)
        options.require(private, option, str(network), f"within {', '.join(map(str, _PRIVATE))}")
        for block, whose in taken.items():
            apart = not network.overlaps(ipaddress.IPv4Network(block))
            options.require(apart, option, str(network), f"apart from {whose}")
        for _, other in remote[:number]:
            options.require(not network.overlaps(other), option, str(network), f"apart from {other}, remote as well")


def _addresses(vpc: ec2.IVpc) -> ipaddress.IPv4Network | None:
    made = vpc.node.default_child
    block = made.cidr_block if isinstance(made, ec2.CfnVPC) else None
    return _network(block) if block else None


def _network(block: str) -> ipaddress.IPv4Network | None:
    if Token.is_unresolved(block):
        return None
    try:
        return ipaddress.IPv4Network(block)
    except ValueError:
        return None
