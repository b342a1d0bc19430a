"""A schedule of EventBridge Scheduler that invokes a function: in a time zone, and reliable as a rule is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_src.acknowledged import acknowledge_inline_policy
from lambda_src.options import checked
from lambda_src.queue import let_send

if TYPE_CHECKING:
    from collections.abc import Mapping


class FunctionSchedule(Construct):
    """Invokes a function on a schedule, which unlike a rule's knows time zones, daylight saving time and flexibility.

    Of the two, AWS recommends EventBridge Scheduler for what is new.

    :param function: is invoked; the schedule's own role may do that, and nothing else.
    :param schedule: when, and in which time zone.
    :param flexible_window: within how long after that, 1 minute to 24 hours, so that not everything starts on the
        stroke of the hour; by default at the time itself.
    :param payload: what the function is given.
    :param dead_letter_queue: keeps what could not be delivered.
    :param retry_attempts: how often an invocation is tried again, 0 to 185.
    :param max_event_age: for how long, 60 s to 24 hours; 24 hours by default.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.IFunction,
        schedule: scheduler.ScheduleExpression,
        flexible_window: Duration | None = None,
        payload: Mapping[str, Any],
        dead_letter_queue: sqs.IQueue,
        retry_attempts: int = 185,
        max_event_age: Duration | None = None,
    ) -> None:
        """Check the options, then make the schedule, its group and its role."""
        age = max_event_age or Duration.hours(24)
        with checked(FunctionSchedule, scope, construct_id) as options:
            window = flexible_window.to_minutes(integral=False) if flexible_window else 1
            options.require(
                1 <= window <= 1440, "flexible_window", f"{window:g} minutes", "1 minute to 24 hours; or leave it out"
            )
            options.require(0 <= retry_attempts <= 185, "retry_attempts", retry_attempts, "0 to 185")
            options.require(
                60 <= age.to_seconds() <= 86_400, "max_event_age", f"{age.to_seconds():,} s", "60 s to 24 hours"
            )
            options.require(not dead_letter_queue.fifo, "dead_letter_queue", "a FIFO queue", "give a standard queue")
        super().__init__(scope, construct_id)

        # Not the CDK's own group, which has the CDK name it: CloudFormation's names do not clash.
        group = scheduler.CfnScheduleGroup(self, "Group")
        #: A schedule has no tags of its own: its group has them.
        self.group: scheduler.IScheduleGroup = scheduler.ScheduleGroup.from_schedule_group_name(
            self, "GroupByName", group.ref
        )
        #: What EventBridge Scheduler invokes the function as.
        self.role = self._role(function, dead_letter_queue)
        #: The schedule itself.
        self.schedule = scheduler.Schedule(
            self,
            "Schedule",
            schedule=schedule,
            schedule_group=self.group,
            time_window=scheduler.TimeWindow.flexible(flexible_window) if flexible_window else None,
            target=targets.LambdaInvoke(
                function,
                # The CDK would permit every version of the function too.
                role=self.role.without_policy_updates(),
                input=scheduler.ScheduleTargetInput.from_object(payload),
                dead_letter_queue=dead_letter_queue,
                retry_attempts=retry_attempts,
                max_event_age=age,
            ),
        )

    def _role(self, function: lambda_.IFunction, dead_letter_queue: sqs.IQueue) -> iam.Role:
        in_this_group = {"aws:SourceAccount": Stack.of(self).account, "aws:SourceArn": self.group.schedule_group_arn}
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions={"StringEquals": in_this_group}),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn]))
        let_send(role, dead_letter_queue)
        acknowledge_inline_policy(role)
        return role
