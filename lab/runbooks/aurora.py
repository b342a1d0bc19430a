"""Aurora: what was deployed scales from nothing, is reached by the Data API, and can be swapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.runbook import Evidence, Runbook

if TYPE_CHECKING:
    from lab.deployment import Deployment

runbook = Runbook()


@runbook.check("Serverless instances scale between the minimum and the maximum", evidence=Evidence.CONTROL_PLANE_ONLY)
def capacity_is_as_deployed(deployed: Deployment) -> str:
    """What the service keeps of the cluster; nothing scales on the emulator."""
    [cluster] = deployed.client("rds").describe_db_clusters(DBClusterIdentifier=deployed.output("ClusterIdentifier"))[
        "DBClusters"
    ]
    scaling = cluster["ServerlessV2ScalingConfiguration"]
    assert scaling["MinCapacity"] <= scaling["MaxCapacity"], f"{scaling}"
    return f"{scaling['MinCapacity']:g} to {scaling['MaxCapacity']:g} ACUs"
