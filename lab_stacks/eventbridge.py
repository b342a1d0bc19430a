"""Amazon EventBridge: buses, rules with patterns and schedules, and every kind of target that the chapter names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_scheduler as scheduler

from lab_stacks.section import Section
from lambda_src.email_topic import EmailTopic, check_email
from lambda_src.event_bus.construct import ArchivedEventBus, check_organization_id
from lambda_src.event_recorder.construct import EventRecorder
from lambda_src.event_rule.aws_events import api_call, service_event
from lambda_src.event_rule.checks import check_endpoint
from lambda_src.event_rule.construct import EventRule
from lambda_src.event_rule.schedule import FunctionSchedule
from lambda_src.options import checked
from lambda_src.queue import InspectedQueue, event_dead_letter_queue

if TYPE_CHECKING:
    from constructs import Construct

ORDER_PLACED = {
    "source": ["shop.orders"],
    "detail-type": ["OrderPlaced"],
    "detail": {"total": [{"numeric": [">=", 100]}]},
}
PAYMENT_REFUSED = {"source": ["shop.orders"], "detail-type": ["PaymentRefused"]}
PORT_OPENED = api_call("ec2", "AuthorizeSecurityGroupIngress")
IMAGE_SCANNED = service_event("ecr", "ECR Image Scan", {"scan-status": ["COMPLETE"]})
TASK_STOPPED = service_event("ecs", "ECS Task State Change", {"lastStatus": ["STOPPED"]})


class EventBridge(Section):
    """Two buses, seven rules, a schedule; what they deliver is in two queues, a topic and the recorder's table.

    Context: ``email``, an address that orders are reported to; ``endpoint``, an https URL that they are posted to, with
    the API key (by default the stack's own); ``organization_id``, whose accounts may put events (by default this
    account alone); ``bus_name`` and ``audit_bus_name``.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section: where events arrive, where they can go, and which of them goes where."""
        super().__init__(scope, construct_id, **kwargs)
        email, endpoint = self.setting("email", ""), self.setting("endpoint", "")
        organization_id = self.setting("organization_id", "")
        with checked(EventBridge, scope, construct_id) as options:
            check_email(options, email)
            check_endpoint(options, "endpoint", endpoint)
            check_organization_id(options, organization_id)
        operation: dict[str, Any] = {"posture": self.posture, "alarm_topic": self.alarm_topic()}

        # 2. Select Event Bus: a custom one, and one that audits it; AWS's own events are on the default bus
        guarded: dict[str, Any] = {"organization_id": organization_id or None, **operation}
        orders = ArchivedEventBus(self, "Orders", event_bus_name=self.setting("bus_name", "Orders"), **guarded)
        audit = ArchivedEventBus(
            self,
            "Audit",
            event_bus_name=self.setting("audit_bus_name", "Audit"),
            dead_letter_queue=orders.dead_letter_queue,
            **guarded,
        )
        # 3. Select Target: a function, queues, e-mail, HTTP; and what keeps the events that none of them takes
        recorder = EventRecorder(self, "Recorder", **operation)
        queue = InspectedQueue(self, "Queue", posture=self.posture)
        audit_queue = InspectedQueue(self, "AuditQueue", posture=self.posture)
        dead_letters = event_dead_letter_queue(self, "DeadLetters", **operation)
        topic = EmailTopic(self, "Topic", email=email, dead_letter_queue=dead_letters)
        connection, url = recorder.endpoint.connection, recorder.endpoint.url
        website = events.ApiDestination(self, "Website", connection=connection, endpoint=endpoint or url)
        nowhere = events.ApiDestination(self, "Nowhere", connection=connection, endpoint=f"{url}nowhere")
        reliable: dict[str, Any] = {"dead_letter_queue": dead_letters, **operation}

        # 1. Define Pattern: events of one's own
        order, total = events.EventField.from_path("$.detail.id"), events.EventField.from_path("$.detail.total")
        summary = {"order": order, "total": total, "text": f"Order {order} over {total}"}
        EventRule(
            self,
            "OrderPlaced",
            event_bus=orders,
            event_pattern=ORDER_PLACED,
            targets=[
                recorder.target("OrderPlaced"),
                targets.SqsQueue(queue, message=events.RuleTargetInput.from_object(summary)),
                targets.SnsTopic(topic, authorize_using_role=True),
                targets.ApiDestination(website),
                targets.EventBus(audit),
            ],
            **reliable,
        )
        EventRule(
            self,
            "Audited",
            event_bus=audit,
            event_pattern={"account": [self.account]},
            targets=[targets.SqsQueue(audit_queue)],
            **reliable,
        )
        unreliable = EventRule(
            self,
            "Unreliable",
            event_bus=orders,
            event_pattern=PAYMENT_REFUSED,
            targets=[targets.ApiDestination(nowhere)],
            retry_attempts=2,
            max_event_age=Duration.minutes(1),
            **operation,
        )
        # ... of AWS: an API call that CloudTrail recorded, and what services tell
        EventRule(self, "PortOpened", event_pattern=PORT_OPENED, targets=[recorder.target("PortOpened")], **reliable)
        EventRule(
            self, "ImageScanned", event_pattern=IMAGE_SCANNED, targets=[recorder.target("ImageScanned")], **reliable
        )
        EventRule(self, "TaskStopped", event_pattern=TASK_STOPPED, targets=[recorder.target("TaskStopped")], **reliable)
        # ... or a schedule: a rule's, and one of EventBridge Scheduler, which knows time zones
        EventRule(
            self, "EveryMinute", schedule=Duration.minutes(1), targets=[recorder.target("EveryMinute")], **reliable
        )
        FunctionSchedule(
            self,
            "Scheduled",
            function=recorder.function,
            schedule=scheduler.ScheduleExpression.cron(minute="*", time_zone=TimeZone.EUROPE_BERLIN),
            flexible_window=Duration.minutes(1),
            payload=recorder.payload("Scheduled"),
            dead_letter_queue=dead_letters,
        )

        self.output("BusName", orders.event_bus_name)
        self.output("AuditBusName", audit.event_bus_name)
        self.output("ArchiveName", orders.event_archive.archive_name)
        self.output("BusDeadLetterQueueUrl", orders.dead_letter_queue.queue_url)
        self.output("QueueUrl", queue.queue_url)
        self.output("AuditQueueUrl", audit_queue.queue_url)
        self.output("TopicArn", topic.topic_arn)
        self.output("TableName", recorder.table.table_name)
        self.output("FunctionName", recorder.function.function_name)
        self.output("EndpointFunctionName", recorder.endpoint.function.function_name)
        self.output("EndpointUrl", url)
        self.output("DeadLetterQueueUrl", dead_letters.queue_url)
        self.output("RecorderDeadLetterQueueUrl", recorder.dead_letter_queue.queue_url)
        self.output("UnreliableDeadLetterQueueUrl", unreliable.dead_letter_queue.queue_url)
