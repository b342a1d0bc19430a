"""Queues that every service can send to: encrypted, reached over TLS alone; and what lets EventBridge into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_src.acknowledged import acknowledge
from lambda_src.alarms import alarm_above
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from constructs import Construct, IDependable

    from lambda_src.options import Options

#: Why a dead-letter queue has none of its own.
IS_THE_LAST = "It is the dead-letter queue: messages stay until a person sends them back, and an alarm says so."
_EVENTBRIDGE = "events.amazonaws.com"


class EncryptedQueue(sqs.Queue):
    """A queue that refuses traffic without TLS, and encrypts with SQS's own key (SSE-SQS) or with one that is given.

    Not with the key for SQS that AWS has in KMS: its policy is closed to EventBridge and to Amazon SNS, whose messages
    such a queue refuses without a word.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        **options: Any,
    ) -> None:
        """Make the queue; ``options`` are the CDK's."""
        super().__init__(
            scope,
            construct_id,
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.KMS if encryption_key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=encryption_key,
            removal_policy=posture.removal_policy,
            **options,
        )
        if encryption_key is None:
            acknowledge(
                self,
                "CKV_AWS_27",
                reason="No encryption_key was given: Amazon SQS encrypts every message with a key of its own "
                "(SSE-SQS), which the tool does not count.",
            )


class InspectedQueue(EncryptedQueue):
    """A queue that people and runbooks look into, and no program consumes; ``options`` are those of EncryptedQueue."""

    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        """Make the queue."""
        super().__init__(scope, construct_id, **options)
        acknowledge(
            self,
            "AwsSolutions-SQS3",
            "Serverless-SQSRedrivePolicy",
            reason="No program consumes it, a person or the runbook looks at what is in it: nothing can fail here "
            "again and again. To consume it is the work of QueueWorker, which has a dead-letter queue.",
        )


class DeadLetterQueue(EncryptedQueue):
    """Keeps what failed for 14 days, and raises an alarm when there is anything.

    :param description: of the alarm, for the person who is woken: what failed, and what to do.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Make the queue and its alarm."""
        super().__init__(
            scope, construct_id, encryption_key=encryption_key, posture=posture, retention_period=Duration.days(14)
        )
        acknowledge(self, "Serverless-SQSRedrivePolicy", reason=IS_THE_LAST)
        #: Goes off when there is anything in it.
        self.alarm = alarm_above(
            self,
            "DeadLetters",
            metric=self.metric_approximate_number_of_messages_visible(period=Duration.minutes(1)),
            threshold=0,
            description=description,
            topic=alarm_topic,
        )


def event_dead_letter_queue(scope: Construct, construct_id: str, **options: Any) -> DeadLetterQueue:
    """Make a queue for what EventBridge cannot deliver; ``options`` are those of ``DeadLetterQueue``.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    queue = DeadLetterQueue(
        scope,
        construct_id,
        description="Events were not delivered: the attributes of each message say by which rule, where to, and why. "
        "Mend the cause, then send them again.",
        **options,
    )
    # The tool knows dead-letter queues of queues and functions, and not those of rules and buses.
    acknowledge(queue, "AwsSolutions-SQS3", reason=IS_THE_LAST)
    return queue


def is_open_to_services(queue: sqs.IQueue) -> bool:
    """Say whether the key of ``queue`` lets other AWS services encrypt what they send to it."""
    return queue.encryption_type != sqs.QueueEncryption.KMS_MANAGED


def closed_key(service: str) -> str:
    """Say what to do about a queue that is not open to ``service``."""
    return f"that key is closed to {service}; encrypt with SQS_MANAGED, or with a key of your own"


def check_receiver(
    options: Options, queue: sqs.IQueue | None, *, service: str, option: str = "dead_letter_queue"
) -> None:
    """Note a queue that ``service`` cannot send to; to give none at all is no mistake."""
    if queue is not None:
        options.require(not queue.fifo, option, "a FIFO queue", f"{service} takes a standard queue")
        options.require(is_open_to_services(queue), option, "encrypted by AWS's key in KMS", closed_key(service))


def let_events_in(queue: sqs.IQueue, *, sid: str, source_arn: str) -> None:
    """Let EventBridge send to ``queue`` on behalf of ``source_arn``, a rule or a bus, and of nothing else.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    let_service_in(queue, _EVENTBRIDGE, sid=sid, source_arn=source_arn)


def let_service_in(queue: sqs.IQueue, service: str, *, sid: str, source_arn: str) -> IDependable | None:
    """Let an AWS service send to ``queue`` on behalf of ``source_arn``, and of nothing else; return what permits it."""
    added = queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(service)],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": source_arn}},
        )
    )
    if not added.statement_added:
        Annotations.of(queue).add_warning_v2(
            "serverless-lab:queuePolicy",
            f"{queue.node.path} is a queue that this app does not make: its policy must let {service} send to it, or "
            "what it sends is lost.",
        )
    let_service_use_key(queue, service)
    return added.policy_dependable


def let_service_use_key(queue: sqs.IQueue, service: str) -> None:
    """Let an AWS service that sends to ``queue`` use the queue's key, if it has one."""
    if queue.encryption_master_key:
        # For the account, not for the one source: key, queue and source would wait for each other.
        queue.encryption_master_key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],  # in a key's own policy, the key
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(queue).account}},
            )
        )


def let_send(role: iam.IGrantable, queue: sqs.IQueue) -> None:
    """Let a role send to ``queue``, with its key if it has one, and do nothing else there."""
    queue.grant(role, "sqs:SendMessage")
    if queue.encryption_master_key:
        queue.encryption_master_key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")
