"""Amazon EventBridge: buses, rules with patterns and schedules, and every kind of target that the chapter names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from lab_stacks.section import Section
from lambda_src.acknowledged import acknowledge
from lambda_src.event_bus.construct import ArchivedEventBus
from lambda_src.event_recorder.construct import EventRecorder
from lambda_src.event_rule.construct import EventRule
from lambda_src.event_rule.schedule import FunctionSchedule
from lambda_src.options import checked
from lambda_src.queue import EncryptedQueue, event_dead_letter_queue

if TYPE_CHECKING:
    from constructs import Construct

ORDER_PLACED = {
    "source": ["shop.orders"],
    "detail-type": ["OrderPlaced"],
    "detail": {"total": [{"numeric": [">=", 100]}]},
}
PAYMENT_REFUSED = {"source": ["shop.orders"], "detail-type": ["PaymentRefused"]}
# PutEvents refuses sources that begin with aws. from anybody but AWS: what is triggered by hand has a name of its own.
SECURITY_GROUP_OPENED = {
    "source": ["aws.ec2", "by-hand.aws.ec2"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {"eventSource": ["ec2.amazonaws.com"], "eventName": ["AuthorizeSecurityGroupIngress"]},
}
IMAGE_SCANNED = {
    "source": ["aws.ecr", "by-hand.aws.ecr"],
    "detail-type": ["ECR Image Scan"],
    "detail": {"scan-status": ["COMPLETE"]},
}
TASK_STOPPED = {
    "source": ["aws.ecs", "by-hand.aws.ecs"],
    "detail-type": ["ECS Task State Change"],
    "detail": {"lastStatus": ["STOPPED"]},
}


class EventBridge(Section):
    """Two buses, seven rules, a schedule; what they deliver is in two queues, a topic and the recorder's table.

    Context: ``email``, an address that orders are reported to; ``endpoint``, an https URL that they are posted to, with
    the API key (by default the stack's own); ``organization_id``, whose accounts may put events (by default this
    account alone); ``bus_name`` and ``audit_bus_name``.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section, in the order in which the chapter tells it."""
        super().__init__(scope, construct_id, **kwargs)
        email, endpoint = self.setting("email", ""), self.setting("endpoint", "")
        with checked(EventBridge, scope, construct_id) as options:
            addressed = re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", email) is not None
            options.require(not email or addressed, "email", email, "an address, such as name@example.com")
            options.require(not endpoint or endpoint.startswith("https://"), "endpoint", endpoint, "give an https URL")
        self._operation: dict[str, Any] = {"posture": self.posture, "alarm_topic": self.alarm_topic()}
        self._dead_letters = event_dead_letter_queue(self, "DeadLetters", **self._operation)
        self._reliable: dict[str, Any] = {"dead_letter_queue": self._dead_letters, **self._operation}
        self._recorder = EventRecorder(self, "Recorder", **self._operation)

        self._of_the_shop(endpoint or self._recorder.url, self._topic(email))
        self._of_aws()
        self._of_the_clock()

        self.output("TableName", self._recorder.table.table_name)
        self.output("FunctionName", self._recorder.function.function_name)
        self.output("EndpointFunctionName", self._recorder.endpoint.function_name)
        self.output("EndpointUrl", self._recorder.url)
        self.output("DeadLetterQueueUrl", self._dead_letters.queue_url)

    def _of_the_shop(self, endpoint: str, topic: sns.Topic) -> None:
        """Custom events on custom buses: an order goes to every kind of target, a refused payment to none."""
        organization = self.setting("organization_id", "") or None
        orders = ArchivedEventBus(
            self,
            "Orders",
            event_bus_name=self.setting("bus_name", "Orders"),
            organization_id=organization,
            **self._operation,
        )
        audit = ArchivedEventBus(
            self,
            "Audit",
            event_bus_name=self.setting("audit_bus_name", "Audit"),
            organization_id=organization,
            dead_letter_queue=orders.dead_letter_queue,
            **self._operation,
        )
        queue, audit_queue = self._queue("Queue"), self._queue("AuditQueue")
        EventRule(
            self,
            "OrderPlaced",
            event_bus=orders,
            event_pattern=ORDER_PLACED,
            targets=[
                self._recorder.target("OrderPlaced"),
                targets.SqsQueue(queue, message=_summary_of_order()),
                targets.SnsTopic(topic, authorize_using_role=True),
                targets.ApiDestination(self._destination("OrdersEndpoint", endpoint)),
                targets.EventBus(audit),
            ],
            **self._reliable,
        )
        EventRule(
            self,
            "Audited",
            event_bus=audit,
            event_pattern={"account": [self.account]},
            targets=[targets.SqsQueue(audit_queue)],
            **self._reliable,
        )
        # The endpoint refuses whatever is posted below its own path.
        unreliable = EventRule(
            self,
            "Unreliable",
            event_bus=orders,
            event_pattern=PAYMENT_REFUSED,
            targets=[targets.ApiDestination(self._destination("Nowhere", f"{self._recorder.url}nowhere"))],
            retry_attempts=2,
            max_event_age=Duration.minutes(1),
            **self._operation,
        )
        self.output("BusName", orders.event_bus_name)
        self.output("AuditBusName", audit.event_bus_name)
        self.output("ArchiveName", orders.event_archive.archive_name)
        self.output("QueueUrl", queue.queue_url)
        self.output("AuditQueueUrl", audit_queue.queue_url)
        self.output("TopicArn", topic.topic_arn)
        self.output("UnreliableDeadLetterQueueUrl", unreliable.dead_letter_queue.queue_url)
        self.output("BusDeadLetterQueueUrl", orders.dead_letter_queue.queue_url)

    def _of_aws(self) -> None:
        """AWS's own events on the default bus: an API call that CloudTrail recorded, and what services tell."""
        for name, pattern in (
            ("SecurityGroupOpened", SECURITY_GROUP_OPENED),
            ("ImageScanned", IMAGE_SCANNED),
            ("TaskStopped", TASK_STOPPED),
        ):
            EventRule(self, name, event_pattern=pattern, targets=[self._recorder.target(name)], **self._reliable)

    def _of_the_clock(self) -> None:
        """A schedule instead of a pattern: a rule's, and one of EventBridge Scheduler, which knows time zones."""
        EventRule(
            self,
            "EveryMinute",
            schedule=Duration.minutes(1),
            targets=[self._recorder.target("EveryMinute")],
            **self._reliable,
        )
        FunctionSchedule(
            self,
            "Scheduled",
            function=self._recorder.function,
            schedule=scheduler.ScheduleExpression.cron(minute="*", time_zone=TimeZone.EUROPE_BERLIN),
            flexible_window=Duration.minutes(1),
            payload={"rule": "Scheduled", "event": {"source": "aws.scheduler", "detail-type": "Scheduled Event"}},
            dead_letter_queue=self._dead_letters,
        )

    def _destination(self, construct_id: str, endpoint: str) -> events.ApiDestination:
        return events.ApiDestination(self, construct_id, connection=self._recorder.connection, endpoint=endpoint)

    def _queue(self, construct_id: str) -> EncryptedQueue:
        queue = EncryptedQueue(self, construct_id, posture=self.posture)
        acknowledge(
            queue,
            "AwsSolutions-SQS3",
            "Serverless-SQSRedrivePolicy",
            reason="No program consumes it, a person or the runbook looks at what is in it: nothing can fail here "
            "again and again. To consume it is the work of QueueWorker, which has a dead-letter queue.",
        )
        return queue

    def _topic(self, email: str) -> sns.Topic:
        topic = sns.Topic(self, "Topic", enforce_ssl=True)
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        acknowledge(
            topic,
            "CKV_AWS_26",
            "NIST.800.53.R5-SNSEncryptedKMS",
            "HIPAA.Security-SNSEncryptedKMS",
            "PCI.DSS.321-SNSEncryptedKMS",
            reason="Amazon SNS keeps a message on encrypted disks until it is delivered, and then e-mail carries it in "
            "plain text: a key of one's own would hide it from nobody who reads the e-mail.",
        )
        return topic


def _summary_of_order() -> events.RuleTargetInput:
    order, total = events.EventField.from_path("$.detail.id"), events.EventField.from_path("$.detail.total")
    return events.RuleTargetInput.from_object({"order": order, "total": total, "text": f"Order {order} over {total}"})
