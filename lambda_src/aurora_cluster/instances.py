"""The instances of a cluster: each is serverless, or provisioned with a class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Serverless:
    """An instance that scales between the cluster's minimum and maximum capacity.

    :param scales_with_writer: a reader has at least the writer's capacity, so that it can take over at once (promotion
        tier 1); without, it scales by its own load (promotion tier 2).

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html
    """

    scales_with_writer: bool = True

    #: The first part of its name in the stack.
    kind = "Serverless"

    def made(self, construct_id: str, zone: str) -> rds.IClusterInstance:
        """Make what the CDK takes."""
        return rds.ClusterInstance.serverless_v2(
            construct_id, scale_with_writer=self.scales_with_writer, availability_zone=zone, publicly_accessible=False
        )


@dataclass(frozen=True)
class Provisioned:
    """An instance of a fixed size.

    :param instance_type: its class without ``db.``; ``r7g.large``, with 16 GiB of memory, by default.
    :param promotion_tier: 0 to 15: readers of the lowest tier take over first.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.html
    """

    instance_type: ec2.InstanceType = field(default_factory=lambda: ec2.InstanceType("r7g.large"))
    promotion_tier: int = 1

    #: The first part of its name in the stack.
    kind = "Provisioned"

    def made(self, construct_id: str, zone: str) -> rds.IClusterInstance:
        """Make what the CDK takes."""
        return rds.ClusterInstance.provisioned(
            construct_id,
            instance_type=self.instance_type,
            promotion_tier=self.promotion_tier,
            availability_zone=zone,
            publicly_accessible=False,
        )

    @property
    def is_burstable(self) -> bool:
        """Whether it is of a T class, for which there is no Data API."""
        return self.instance_type.to_string().startswith("t")


Instance = Serverless | Provisioned


def made(instances: Sequence[Instance], zones: Sequence[str]) -> list[rds.IClusterInstance]:
    """Make them, those of each kind in one zone after the other.

    Each is named by its kind and its place among its kind, not among all: where serverless instances make room for
    provisioned ones, none of them changes its name or its zone, either of which would replace it.
    """
    counted: Counter[str] = Counter()
    cdk_instances = []
    for instance in instances:
        zone = zones[counted[instance.kind] % len(zones)]
        counted[instance.kind] += 1
        cdk_instances.append(instance.made(f"{instance.kind}{counted[instance.kind]}", zone))
    return cdk_instances
