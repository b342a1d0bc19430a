"""The cluster of the section `aurora`: what it is now, and what a swap may do to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab import deployment
from lab.aurora.plan import Kind, Member, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.progress import Progress
    from lab.target import Target
    from lab_stacks.catalog import CatalogEntry

_INSTANCE = "AWS::RDS::DBInstance"
_SERVERLESS_CLASS = "db.serverless"


@dataclass(frozen=True)
class DeployedCluster:
    """A cluster, and the stack that declares its instances."""

    section: CatalogEntry
    target: Target

    def observe(self) -> State:
        """Read the stack and the cluster.

        :raises LabError: when the section is not deployed.
        """
        deployed = deployment.find(self.section, self.target)
        client, identifier = deployed.client("rds"), deployed.output("ClusterIdentifier")
        [cluster] = client.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"]
        pages = client.get_paginator("describe_db_instances").paginate(
            Filters=[{"Name": "db-cluster-id", "Values": [identifier]}]
        )
        instances = {one["DBInstanceIdentifier"]: one for page in pages for one in page["DBInstances"]}
        return State(
            declared=_kinds(deployment.settings_of(self.section, self.target)),
            members=tuple(
                _member(member, instances[member["DBInstanceIdentifier"]])
                for member in cluster["DBClusterMembers"]
                if member["DBInstanceIdentifier"] in instances
            ),
            made=frozenset(name.lower() for name in deployed.physical_ids(_INSTANCE)),
            stack_is_settled=not deployed.status.endswith("_IN_PROGRESS"),
            cluster_is_available=cluster["Status"] == "available",
        )

    def fail_over(self, writer: str) -> None:
        """Ask for another instance to write; the answer comes before that has happened."""
        deployed = deployment.find(self.section, self.target)
        deployed.client("rds").failover_db_cluster(
            DBClusterIdentifier=deployed.output("ClusterIdentifier"), TargetDBInstanceIdentifier=writer
        )


@dataclass(frozen=True)
class SwappableCluster(DeployedCluster):
    """A cluster whose stack is deployed with other kinds of instances, and with ``context`` as it is."""

    context: Mapping[str, str]
    progress: Progress

    def deploy(self, declared: Sequence[Kind]) -> None:
        """Deploy the stack with instances of these kinds."""
        instances = ",".join(kind.value for kind in declared)
        deployment.deploy([self.section], {**self.context, "instances": instances}, self.target, self.progress)


def _kinds(settings: Mapping[str, str]) -> tuple[Kind, ...]:
    """Read which kinds of instances the stack declares from its settings."""
    return tuple(Kind(kind) for kind in settings.get("instances", Kind.SERVERLESS.value).split(","))


def _member(member: dict[str, Any], instance: dict[str, Any]) -> Member:
    serverless = instance["DBInstanceClass"] == _SERVERLESS_CLASS
    return Member(
        identifier=member["DBInstanceIdentifier"],
        kind=Kind.SERVERLESS if serverless else Kind.PROVISIONED,
        is_writer=member["IsClusterWriter"],
        is_available=instance["DBInstanceStatus"] == "available",
        promotion_tier=member["PromotionTier"],
    )
