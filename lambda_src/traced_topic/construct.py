"""A topic that tells AWS X-Ray of every delivery, and may."""

from __future__ import annotations

import re

from aws_cdk import Names, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_xray as xray
from constructs import Construct

from lambda_src.acknowledged import acknowledge
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.queue import DeadLetterQueue, check_receiver, let_service_in, let_service_use_key

_SNS = "sns.amazonaws.com"


class TracedTopic(sns.Topic):
    """A topic with active tracing: a segment for itself, and a subsegment for each subscription that it delivers to.

    Without tracing it would hand the tracing header on, and say nothing of itself. Active tracing needs a resource
    policy of X-Ray's, which lets Amazon SNS send segments and read sampling rules for this topic. An account has five
    such policies in a region, so topics beyond that share one: ``trace_policy``.

    :param topic_name: physical name, 1 to 119 letters, digits and any of ``_-``; CloudFormation makes one by default.
    :param trace_policy: an existing resource policy of X-Ray's that lets SNS send this topic's segments; by default a
        new one for this topic alone.
    :param encryption_key: customer managed KMS key, whose policy lets publishers use it; by default AWS's own for SNS,
        which principals of the account may use, and other AWS services may not.
    :param posture: whether the dead-letter queue survives its stack.
    :param alarm_topic: told of deliveries that failed for good.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic_name: str | None = None,
        trace_policy: xray.CfnResourcePolicy | None = None,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the topic, its dead-letter queue and X-Ray's policy."""
        with checked(TracedTopic, scope, construct_id) as options:
            named = topic_name is None or re.fullmatch(r"[A-Za-z0-9_-]{1,119}", topic_name) is not None
            options.require(named, "topic_name", topic_name, "1 to 119 letters, digits, and any of _-")
        super().__init__(
            scope,
            construct_id,
            topic_name=topic_name,
            enforce_ssl=True,
            master_key=encryption_key,
            tracing_config=sns.TracingConfig.ACTIVE,
        )
        if encryption_key is None:
            # Not as a key of the CDK's: it would grant publishers every key of the account, and this one needs none.
            self._resource.kms_master_key_id = "alias/aws/sns"
        #: Lets Amazon SNS send this topic's segments.
        self.trace_policy: xray.CfnResourcePolicy = trace_policy or self._trace_policy()
        #: Keeps what could not be delivered.
        self.dead_letter_queue = DeadLetterQueue(
            self,
            "Undelivered",
            description="Messages of a topic were not delivered: their queue is gone, or does not let Amazon SNS in. "
            "Mend the cause, then send them again.",
            encryption_key=encryption_key,
            posture=posture,
            alarm_topic=alarm_topic,
        )
        let_service_use_key(self.dead_letter_queue, _SNS)
        acknowledge(
            self.dead_letter_queue,
            "AwsSolutions-SQS3",
            reason="It is the dead-letter queue of the topic's subscriptions, which the tool does not know: messages "
            "stay until a person sends them back, and an alarm says so.",
        )

    def deliver_to(self, queue: sqs.IQueue) -> sns.Subscription:
        """Deliver every message to ``queue`` as it was published, without an envelope; its header comes with it.

        :param queue: a standard one, encrypted with SQS's own keys or with a customer managed KMS key.
        :raises ValueError: for another one.
        """
        with checked(TracedTopic, self, "deliver_to") as options:
            check_receiver(options, queue, service="Amazon SNS", option="queue")
        # Not by the CDK's SqsSubscription: it names the topic in the policy of the queue's key, and a topic and a key
        # that is the topic's too would wait for each other.
        permission = let_service_in(queue, _SNS, sid=f"MessagesOf{Names.unique_id(self)}", source_arn=self.topic_arn)
        assert isinstance(queue, Construct)  # noqa: S101 - for mypy: a subscription is made in its queue
        subscription = sns.Subscription(
            queue,
            Names.node_unique_id(self.node),
            topic=self,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=queue.queue_arn,
            raw_message_delivery=True,
            dead_letter_queue=self.dead_letter_queue,
        )
        if permission:
            subscription.node.add_dependency(permission)
        return subscription

    @property
    def _resource(self) -> sns.CfnTopic:
        resource = self.node.default_child
        assert isinstance(resource, sns.CfnTopic)  # noqa: S101 - what an L2 of Amazon SNS is made of
        return resource

    def _trace_policy(self) -> xray.CfnResourcePolicy:
        stack = Stack.of(self)
        statement = iam.PolicyStatement(
            sid="SendSegmentsOfTopic",
            principals=[iam.ServicePrincipal(_SNS)],
            actions=["xray:PutTraceSegments", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
            resources=["*"],  # X-Ray's policies know no other
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnEquals": {"aws:SourceArn": self.topic_arn},
            },
        )
        document = {"Version": "2012-10-17", "Statement": [statement.to_statement_json()]}
        return xray.CfnResourcePolicy(
            self,
            "TracePolicy",
            policy_name=f"{self.topic_name}-traces",
            policy_document=stack.to_json_string(document),
        )
