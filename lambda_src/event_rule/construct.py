"""A rule that takes the events of a pattern, or a schedule's, to up to five targets, and loses none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Fn, Names, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_src.alarms import alarm_above
from lambda_src.event_rule.checks import check, check_targets
from lambda_src.event_rule.reliable_target import ReliableTarget
from lambda_src.event_rule.template import resolved, write
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.queue import event_dead_letter_queue, let_events_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EventRule(Construct):
    """What to wait for, on which bus, and where it goes: a rule whose every target is tried again, and then kept.

    What could not be delivered is in the dead-letter queue, whose policy lets this rule send to it. A target that
    brings a dead-letter queue or a retry policy of its own keeps it.

    *Pattern*

    :param event_pattern: as in AWS's documentation, ``{"source": ["shop.orders"], "detail-type": ["OrderPlaced"]}``;
        the CDK's ``events.Match`` may be in it. It is checked here, and ``lambda_src.event_rule.matching.matches``
        says in a test which events it is for.
    :param schedule: when events are made, instead of waiting for any: a ``Duration`` of whole minutes, or the CDK's
        ``events.Schedule``, in UTC. With an ``event_pattern`` too, either starts the rule.
    :param event_bus: where it waits; by default the account's default bus, the one of AWS's own events, and the only
        one with schedules.
    :param read_only_calls: whether calls of the AWS API that only read start the rule too, as far as the pattern is for
        calls: AWS CloudTrail reports them to no other rule. There are many more of them than of calls that change
        something, and each starts the targets, so name in the pattern which.

    *Targets*

    :param targets: 1 to 5 targets of the CDK (``aws_events_targets``).
    :param dead_letter_queue: keeps what could not be delivered; a standard queue, by default a new one that keeps it
        for 14 days.
    :param encryption_key: customer managed KMS key of the new dead-letter queue; by default SQS's own (SSE-SQS).
    :param retry_attempts: how often a delivery is tried again, 0 to 185.
    :param max_event_age: for how long, 60 s to 24 hours; 24 hours by default.

    *Operation*

    :param rule_name: physical name, 1 to 64 letters, digits and any of ``._-``; CloudFormation makes one by default.
    :param description: what the rule is for.
    :param enabled: whether it does anything.
    :param posture: whether the dead-letter queue survives its stack.
    :param alarm_topic: told of any dead letter, and of any event that not even the dead-letter queue took.
    :raises ValueError: naming every option outside its range, every pair that excludes each other, and every mistake
        in the pattern with its path.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        event_pattern: Mapping[str, Any] | None = None,
        schedule: events.Schedule | Duration | None = None,
        event_bus: events.IEventBus | None = None,
        read_only_calls: bool = False,
        targets: Sequence[events.IRuleTarget],
        dead_letter_queue: sqs.IQueue | None = None,
        encryption_key: kms.IKey | None = None,
        retry_attempts: int = 185,
        max_event_age: Duration | None = None,
        rule_name: str | None = None,
        description: str | None = None,
        enabled: bool = True,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the rule with its targets, the dead-letter queue and the alarms."""
        max_event_age = max_event_age or Duration.hours(24)
        if event_bus and event_bus.event_bus_name == "default":
            event_bus = None  # it is the same bus; only without its name the CDK permits schedules on it
        with checked(EventRule, scope, construct_id) as options:
            check(
                options,
                event_pattern=resolved(Stack.of(scope), event_pattern),
                schedule=schedule,
                event_bus=event_bus,
                read_only_calls=read_only_calls,
                enabled=enabled,
                targets=len(targets),
                rule_name=rule_name,
                dead_letter_queue=dead_letter_queue,
                retry_attempts=retry_attempts,
                max_event_age=max_event_age.to_seconds(),
            )
        super().__init__(scope, construct_id)

        #: Holds what could not be delivered; the messages' attributes say which target refused it, and why.
        self.dead_letter_queue: sqs.IQueue = dead_letter_queue or event_dead_letter_queue(
            self, "DeadLetters", encryption_key=encryption_key, posture=posture, alarm_topic=alarm_topic
        )
        reliable = [
            ReliableTarget(
                target,
                dead_letter_queue=self.dead_letter_queue,
                retry_attempts=retry_attempts,
                max_event_age=max_event_age,
            )
            for target in targets
        ]
        #: The rule itself.
        self.rule = events.Rule(
            self,
            "Rule",
            rule_name=rule_name,
            description=description,
            enabled=enabled,
            event_bus=event_bus,
            schedule=events.Schedule.rate(schedule) if isinstance(schedule, Duration) else schedule,
            event_pattern=_ANY if event_pattern else None,
            targets=reliable,
        )
        if event_pattern:
            [resource] = [child for child in self.rule.node.children if isinstance(child, events.CfnRule)]
            write(event_pattern, resource)
            if read_only_calls:
                # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
                resource.state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        with checked(EventRule, scope, construct_id) as options:
            check_targets(options, [target.resource for target in reliable])
        let_events_in(
            self.dead_letter_queue, sid=f"DeadLettersOf{Names.unique_id(self.rule)}", source_arn=self.rule.rule_arn
        )
        #: Goes off when an event is lost: neither its target nor the dead-letter queue took it.
        self.alarm: cloudwatch.Alarm = self._alarm(event_bus, alarm_topic)

    def _alarm(self, event_bus: events.IEventBus | None, topic: sns.ITopic | None) -> cloudwatch.Alarm:
        # From the ARN, rule/NAME or rule/BUS/NAME: a reference to a rule of another bus has the bus in it.
        name = Fn.select(2 if event_bus else 1, Fn.split("/", self.rule.rule_arn))
        bus = {"EventBusName": event_bus.event_bus_name} if event_bus else {}
        return alarm_above(
            self,
            "Lost",
            metric=cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="InvocationsFailedToBeSentToDlq",
                dimensions_map={**bus, "RuleName": name},
                statistic="Sum",
                period=Duration.minutes(1),
            ),
            threshold=0,
            description="Events are lost: neither their target nor the dead-letter queue took them. Look at the "
            "queue's policy, and at its key's.",
            topic=topic,
        )


# The CDK's own type has no place for $or, and for the fields of replayed events: it stands in for the pattern.
_ANY = events.EventPattern(version=["0"])
