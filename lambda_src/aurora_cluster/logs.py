"""The log groups of a cluster, which Amazon RDS writes to by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_rds as rds

from lambda_src.log_group import log_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms

    from lambda_src.posture import Posture


def add_log_groups(
    cluster: rds.DatabaseCluster,
    names: Sequence[str],
    identifier: str,
    *,
    posture: Posture,
    encryption_key: kms.IKey | None,
) -> None:
    """Make the groups that Amazon RDS would make if they were not there, and in which logs would never expire.

    :param cluster: which is made after them.
    :param names: of its logs, such as ``postgresql``.
    :param identifier: of the cluster, by which Amazon RDS names its groups.
    :param posture: how long logs are kept.
    :param encryption_key: customer managed KMS key for the logs; AWS's own by default.
    """
    groups = [
        log_group(
            cluster,
            f"{name.capitalize()}Logs",
            log_group_name=f"/aws/rds/cluster/{identifier}/{name}",
            posture=posture,
            encryption_key=encryption_key,
        )
        for name in names
    ]
    resource = cluster.node.default_child
    assert isinstance(resource, rds.CfnDBCluster)  # noqa: S101 - for mypy: it is what the CDK makes
    resource.node.add_dependency(*groups)
