"""The logs of a cluster's control plane, and their group, which Amazon EKS writes to by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_eks_v2 as eks

from lambda_src.log_group import log_group

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs

    from lambda_src.posture import Posture

#: All that there are.
LOG_TYPES = [
    eks.ClusterLoggingTypes.API,
    eks.ClusterLoggingTypes.AUDIT,
    eks.ClusterLoggingTypes.AUTHENTICATOR,
    eks.ClusterLoggingTypes.CONTROLLER_MANAGER,
    eks.ClusterLoggingTypes.SCHEDULER,
]


def add_log_group(cluster: eks.Cluster, name: str, *, posture: Posture) -> logs.LogGroup:
    """Make the group that Amazon EKS would make if it were not there, and in which logs would never expire.

    :param cluster: which is made after it, and is gone before it.
    :param name: of the cluster, by which Amazon EKS names the group.
    :param posture: how long logs are kept.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
    """
    group = log_group(cluster, "ControlPlaneLogs", log_group_name=f"/aws/eks/{name}/cluster", posture=posture)
    resource = cluster.node.default_child
    assert isinstance(resource, eks.CfnCluster)  # noqa: S101 - for mypy: it is what the CDK makes
    resource.node.add_dependency(group)
    return group
