"""How many tasks a service has, and what makes it have more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

if TYPE_CHECKING:
    from lambda_src.options import Options


@dataclass(frozen=True)
class Scaling:
    """Between which numbers of tasks a service scales, and on what: it has as many tasks as the busier one asks for.

    :param min_tasks: never fewer, 1 or more; two in two zones survive the loss of one.
    :param max_tasks: never more, whatever comes: what a month costs at most.
    :param cpu_percent: average CPU of all tasks to aim at, 10 to 90 %; ``None`` does not scale on it.
    :param requests_per_target: requests a minute for each task to aim at, 1 or more; ``None`` does not scale on it.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
    """

    min_tasks: int = 2
    max_tasks: int = 10
    cpu_percent: float | None = 60
    requests_per_target: int | None = 1000

    def check(self, options: Options, desired_count: int) -> None:
        """Note what is impossible, and a desired count that is outside."""
        options.require(self.min_tasks >= 1, "scaling.min_tasks", self.min_tasks, "1 or more")
        within = self.min_tasks <= self.max_tasks
        options.require(within, "scaling.max_tasks", self.max_tasks, f"min_tasks ({self.min_tasks}) or more")
        options.require(
            not within or self.min_tasks <= desired_count <= self.max_tasks,
            "desired_count",
            desired_count,
            f"{self.min_tasks} to {self.max_tasks}, between which the service scales",
        )
        cpu, requests = self.cpu_percent, self.requests_per_target
        options.require(cpu is None or 10 <= cpu <= 90, "scaling.cpu_percent", cpu, "10 to 90 %, or None")
        options.require(
            requests is None or requests >= 1, "scaling.requests_per_target", requests, "1 or more, or None"
        )

    def capacity(self, spot_percent: int) -> list[ecs.CapacityProviderStrategy]:
        """Put the first ``min_tasks`` on Fargate, and so much of the others on Fargate Spot.

        Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
        """
        fargate = ecs.CapacityProviderStrategy(
            capacity_provider="FARGATE", base=self.min_tasks, weight=100 - spot_percent
        )
        spot = ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=spot_percent)
        return [fargate, spot] if spot_percent else [fargate]

    def apply(self, service: ecs.FargateService, target_group: elbv2.ApplicationTargetGroup) -> ecs.ScalableTaskCount:
        """Have ``service`` scale: up within a minute or two, down after fifteen."""
        count = service.auto_scale_task_count(min_capacity=self.min_tasks, max_capacity=self.max_tasks)
        cooldown: dict[str, Any] = {"scale_in_cooldown": Duration.minutes(5), "scale_out_cooldown": Duration.minutes(1)}
        if self.cpu_percent:
            count.scale_on_cpu_utilization("Cpu", target_utilization_percent=self.cpu_percent, **cooldown)
        if self.requests_per_target:
            count.scale_on_request_count(
                "Requests", requests_per_target=self.requests_per_target, target_group=target_group, **cooldown
            )
        return count
