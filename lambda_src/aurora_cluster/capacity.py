"""How far serverless instances scale, in Aurora capacity units (ACUs)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import Duration


@dataclass(frozen=True)
class Capacity:
    """How far every serverless instance of a cluster scales: about 2 GiB of memory, with CPU and network, per ACU.

    :param minimum: ACUs, 0 to 256 in half steps. At 0 an instance pauses when nobody is connected, at no cost but
        that of storage, and the next connection waits up to about 15 s until it has resumed.
    :param maximum: ACUs, 1 to 256 in half steps; earlier versions of the engines go to 128.
    :param auto_pause: how long nobody has been connected when an instance pauses, 300 to 86,400 s; 300 by default,
        and only with a minimum of 0.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
    """

    minimum: float
    maximum: float
    auto_pause: Duration | None = None

    @property
    def pauses(self) -> bool:
        """Whether an instance that nobody is connected to pauses."""
        return self.minimum == 0
