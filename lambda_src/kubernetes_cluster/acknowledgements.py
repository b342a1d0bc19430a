"""Why a cluster waits for its network by name, and its roles have policies that AWS manages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_src.acknowledged import acknowledge
from lambda_src.kubernetes_cluster.compute import Compute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_eks_v2 as eks
    from constructs import IConstruct

_CONTROL_PLANE = ["AmazonEKSClusterPolicy"]
_AUTO_MODE = [
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
]
_AUTO_MODE_NODES = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly"]


def acknowledge_cluster(cluster: eks.Cluster, compute: Compute) -> None:
    """Acknowledge what the CDK makes for a cluster: what it waits for, and the policies of its roles."""
    acknowledge(
        cluster,
        "W3005",
        reason="The CDK has the cluster wait for its network, parts of which the cluster names anyway: what is said "
        "twice changes nothing, and it is not ours to take out.",
    )
    auto_mode = compute is Compute.AUTO_MODE
    _acknowledge(cluster.node.find_child("Role"), [*_CONTROL_PLANE, *(_AUTO_MODE if auto_mode else [])])
    if auto_mode:
        _acknowledge(cluster.node.find_child(f"{cluster.node.id}nodePoolRole"), _AUTO_MODE_NODES)


def _acknowledge(role: IConstruct, policies: Sequence[str]) -> None:
    acknowledge(
        role,
        *(f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{name}]" for name in policies),
        reason="Amazon EKS acts with this role, and asks for these policies by name: AWS extends them when the service "
        "needs more, and a copy of ours would stop the cluster's upgrade on that day.",
    )
