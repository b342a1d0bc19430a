"""How a new version of a service takes the place of the old one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs

if TYPE_CHECKING:
    from lambda_src.options import Options

_DAY = Duration.days(1).to_minutes()


@dataclass(frozen=True)
class Deployment:
    """How requests move from the old tasks to the new ones.

    *Rolling* replaces a few tasks at a time. The others start as many new tasks as there are old ones, and move the
    requests: *blue/green* all at once, *linear* in equal steps, *canary* a few first and then the rest. The old tasks
    stay for the bake time, and take the requests back if an alarm goes off.

    :param strategy: which of the four.
    :param bake_time: how long the old tasks stay, 0 to 1,440 minutes; not with rolling. 10 minutes by default.
    :param step_percent: the part of the requests that moves in a step: 3 to 100 for linear, 10 by default; 0.1 to 100
        for canary, 5 by default.
    :param step_bake_time: between two steps, 0 to 1,440 minutes; 6 minutes by default for linear, 10 for canary.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service-options.html
    """

    strategy: ecs.DeploymentStrategy = ecs.DeploymentStrategy.ROLLING
    bake_time: Duration | None = None
    step_percent: float | None = None
    step_bake_time: Duration | None = None

    @property
    def shifts_traffic(self) -> bool:
        """Whether there are two sets of tasks, and the load balancer moves requests between them."""
        return self.strategy is not ecs.DeploymentStrategy.ROLLING

    @property
    def name(self) -> str:
        """The strategy as a person writes it."""
        return self.strategy.name.lower().replace("_", "/")

    def check(self, options: Options) -> None:
        """Note what does not go with the strategy, and what is outside its range."""
        for option, duration in ("bake_time", self.bake_time), ("step_bake_time", self.step_bake_time):
            within = duration is None or duration.to_minutes(integral=False) <= _DAY
            options.require(within, f"deployment.{option}", duration, "0 to 1,440 minutes")
        baked = self.bake_time is None or self.shifts_traffic
        options.require(baked, "deployment.bake_time", self.bake_time, "not with rolling, which keeps no old tasks")
        least = {ecs.DeploymentStrategy.LINEAR: 3.0, ecs.DeploymentStrategy.CANARY: 0.1}.get(self.strategy)
        if least is None:
            for option, value in ("step_percent", self.step_percent), ("step_bake_time", self.step_bake_time):
                options.require(value is None, f"deployment.{option}", value, f"not with {self.name}: linear or canary")
            return
        percent = self.step_percent
        options.require(
            percent is None or least <= percent <= 100,
            "deployment.step_percent",
            percent,
            f"{least:g} to 100 % ({self.name})",
        )

    def as_options(self) -> dict[str, Any]:
        """Write the CDK's options of a service."""
        options: dict[str, Any] = {
            "deployment_strategy": self.strategy,
            # Without it a deployment whose tasks do not start goes on for hours.
            "circuit_breaker": ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        }
        if self.shifts_traffic:
            options["bake_time"] = self.bake_time or Duration.minutes(10)
        step = ecs.TrafficShiftConfig(step_percent=self.step_percent, step_bake_time=self.step_bake_time)
        if self.strategy is ecs.DeploymentStrategy.LINEAR:
            options["linear_configuration"] = step
        if self.strategy is ecs.DeploymentStrategy.CANARY:
            options["canary_configuration"] = step
        return options
