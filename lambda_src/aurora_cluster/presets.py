"""The use cases of Aurora Serverless, each as a place to start from.

``dataclasses.replace(VARIABLE, capacity=Capacity(2, 64))`` changes one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration

from lambda_src.aurora_cluster.capacity import Capacity
from lambda_src.aurora_cluster.instances import Serverless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_src.aurora_cluster.instances import Instance


@dataclass(frozen=True)
class Preset:
    """How far a cluster scales, and its instances: the first is made as the writer, the others as readers."""

    capacity: Capacity
    instances: Sequence[Instance]


#: Unpredictable or sudden activity: awake at all times, with much room, and a reader that is as large as the writer.
VARIABLE = Preset(Capacity(1, 32), [Serverless(), Serverless()])

#: A cluster for each tenant's application: each scales by itself, and costs next to nothing while its tenant is away.
MULTI_TENANT = Preset(Capacity(0, 16, auto_pause=Duration.hours(1)), [Serverless(), Serverless()])

#: Nobody knows yet which size it needs: a wide range, and the metric ServerlessDatabaseCapacity tells after a week.
NEW = Preset(Capacity(0.5, 64), [Serverless(), Serverless()])

#: Development and test: one instance, which pauses after five minutes.
DEV_AND_TEST = Preset(Capacity(0, 8, auto_pause=Duration.minutes(5)), [Serverless()])

#: More than one purpose: a reader that can take over, and one for reports, which scales by its own load alone.
MIXED = Preset(Capacity(0.5, 32), [Serverless(), Serverless(), Serverless(scales_with_writer=False)])

#: By the names that a user types.
PRESETS = {
    "dev-and-test": DEV_AND_TEST,
    "variable": VARIABLE,
    "multi-tenant": MULTI_TENANT,
    "new": NEW,
    "mixed": MIXED,
}
