"""The blocks of the section on EKS with every option that a policy might ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_src.kubernetes_cluster.compute import Compute
from lambda_src.kubernetes_cluster.construct import KubernetesCluster
from lambda_src.network.construct import Egress, Network

if TYPE_CHECKING:
    import aws_cdk as cdk


def add(stack: cdk.Stack, operation: dict[str, Any]) -> None:
    """Add them."""
    network = Network(
        stack, "KubernetesNetwork", egress=Egress.INTERNET, addresses="10.90.0.0/16", posture=operation["posture"]
    )
    on_fargate = KubernetesCluster(
        stack,
        "OnFargate",
        vpc=network,
        fargate_namespaces=["web"],
        addons={"metrics-server": "v0.8.1-eksbuild.5"},
        administrators=["arn:aws:iam::111122223333:role/Admin"],
        remote_node_networks=["10.80.0.0/16"],
        remote_pod_networks=["10.81.0.0/16"],
        secrets_key=operation["encryption_key"],
        posture=operation["posture"],
        alarm_topic=operation["alarm_topic"],
    )
    assert on_fargate.hybrid_node_role
    auto = KubernetesCluster(
        stack,
        "AutoMode",
        vpc=network,
        compute=Compute.AUTO_MODE,
        extended_support=True,
        public_access_from=["203.0.113.0/24"],
        posture=operation["posture"],
        alarm_topic=operation["alarm_topic"],
    )
    auto.workload_role("WorkloadRole", namespace="web", service_account="web")
