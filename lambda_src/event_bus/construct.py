"""An event bus that loses nothing: with an archive, a dead-letter queue, a policy and logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Names, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_src.event_bus.archive_key import encrypt_archive
from lambda_src.event_bus.logs import deliver_logs
from lambda_src.options import Options, checked
from lambda_src.posture import Posture
from lambda_src.queue import check_receiver, event_dead_letter_queue, let_events_in

if TYPE_CHECKING:
    from constructs import Construct


class ArchivedEventBus(events.EventBus):
    """An event bus whose events can be replayed, and of which somebody hears when it fails.

    *Bus*

    :param event_bus_name: physical name, 1 to 50 letters, digits and any of ``_-``; its logs are named after it.
        EventBridge has no bus without a name; the default comes from the construct's path.
    :param description: what its events are, in at most 512 characters.
    :param organization_id: of the organization in AWS Organizations whose accounts may all put events, such as
        ``o-a1b2c3d4e5``; by default this account alone.
    :param encryption_key: customer managed KMS key for the events, the archive, the logs and the dead letters; by
        default keys of AWS's.

    *Archive*

    :param archive_retention: how long events can be replayed, 1 day or more; by default 7 days, in production a year.

    *Operation*

    :param dead_letter_queue: takes events that the bus itself cannot process, such as when its key is gone; a standard
        queue, by default a new one that keeps them for 14 days.
    :param log_level: ``ERROR`` by default: events that could not be delivered. ``INFO`` has every delivery, ``TRACE``
        every step of it, ``OFF`` none.
    :param log_detail: ``NONE`` by default; ``FULL`` puts the events into the logs, and they may be other people's data.
    :param posture: whether archive, dead letters and logs survive their stack, and how long they are kept.
    :param alarm_topic: told of any dead letter.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        event_bus_name: str | None = None,
        description: str | None = None,
        organization_id: str | None = None,
        encryption_key: kms.IKey | None = None,
        archive_retention: Duration | None = None,
        dead_letter_queue: sqs.IQueue | None = None,
        log_level: events.Level = events.Level.ERROR,
        log_detail: events.IncludeDetail = events.IncludeDetail.NONE,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the bus, and what keeps, guards and watches its events."""
        retention = archive_retention or Duration.days(365 if posture.protects_data else 7)
        with checked(ArchivedEventBus, scope, construct_id) as options:
            days = retention.to_days(integral=False)
            named = event_bus_name is None or re.fullmatch(r"[A-Za-z0-9_-]{1,50}", event_bus_name) is not None
            options.require(named, "event_bus_name", event_bus_name, "1 to 50 letters, digits, and any of _-")
            described = description is None or len(description) <= 512
            options.require(described, "description", description, "512 characters at most")
            check_organization_id(options, organization_id)
            options.require(days >= 1 and days % 1 == 0, "archive_retention", f"{days:g} days", "1 day or more, whole")
            check_receiver(options, dead_letter_queue, service="EventBridge")

        #: Holds events that the bus could not process.
        self.dead_letter_queue: sqs.IQueue = dead_letter_queue or event_dead_letter_queue(
            scope,
            f"{construct_id}DeadLetters",
            encryption_key=encryption_key,
            posture=posture,
            alarm_topic=alarm_topic,
        )
        super().__init__(
            scope,
            construct_id,
            event_bus_name=event_bus_name,
            description=description,
            dead_letter_queue=self.dead_letter_queue,
            kms_key=encryption_key,
            log_config=events.LogConfig(level=log_level, include_detail=log_detail),
        )
        # The CDK names the queue to the bus, and forgets to let the bus send to it.
        let_events_in(
            self.dead_letter_queue, sid=f"DeadLettersOf{Names.unique_id(self)}", source_arn=self.event_bus_arn
        )
        self.add_to_resource_policy(self._who_may_put_events(organization_id))
        #: Its events, to be replayed: ``lab events replay``.
        self.event_archive: events.Archive = self._event_archive(retention, encryption_key, posture)
        #: Where its logs are, unless they are off.
        self.log_group: logs.LogGroup | None = None
        if log_level != events.Level.OFF:
            name = self.event_bus_name if event_bus_name else Names.unique_resource_name(self, max_length=50)
            self.log_group = deliver_logs(
                self, name=name, level=log_level, posture=posture, encryption_key=encryption_key
            )

    def _event_archive(self, retention: Duration, encryption_key: kms.IKey | None, posture: Posture) -> events.Archive:
        # Not by self.archive(), but by the bus's name: the bus's reference in the key's policy would make key, bus and
        # dead-letter queue wait for each other.
        [bus] = [child for child in self.node.children if isinstance(child, events.CfnEventBus)]
        arn = Stack.of(self).format_arn(service="events", resource="event-bus", resource_name=bus.name)
        archive = events.Archive(
            self,
            "Archive",
            source_event_bus=events.EventBus.from_event_bus_arn(self, "ByName", arn),
            event_pattern=events.EventPattern(source=events.Match.prefix("")),
            retention=retention,
        )
        archive.node.add_dependency(bus)
        archive.apply_removal_policy(posture.removal_policy)
        if encryption_key:
            encrypt_archive(archive, encryption_key, bus_arn=arn)
        return archive

    def _who_may_put_events(self, organization_id: str | None) -> iam.PolicyStatement:
        who: dict[str, Any] = {"sid": "ThisAccount", "principals": [iam.AccountRootPrincipal()]}
        if organization_id:
            who = {"sid": "ThisOrganization", "principals": [iam.OrganizationPrincipal(organization_id)]}
        return iam.PolicyStatement(actions=["events:PutEvents"], resources=[self.event_bus_arn], **who)


def check_organization_id(options: Options, organization_id: str | None) -> None:
    """Note an id that no organization has; to give none at all is no mistake."""
    options.require(
        not organization_id or re.fullmatch(r"o-[a-z0-9]{10,32}", organization_id) is not None,
        "organization_id",
        organization_id,
        "o- and 10 to 32 small letters and digits, as `aws organizations describe-organization` prints it",
    )
