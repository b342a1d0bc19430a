"""A queue whose messages a function consumes in batches, none of them ever lost."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, Names, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_src.acknowledged import acknowledge
from lambda_src.alarms import alarm_above
from lambda_src.function.construct import PythonFunction
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.queue import IS_THE_LAST, EncryptedQueue
from lambda_src.queue_worker.checks import check


class QueueWorker(Construct):
    """Queue, dead-letter queue, and the event source mapping to a function.

    A message leaves the queue when the function has handled it, or, after ``max_receives`` attempts, for the
    dead-letter queue. The visibility timeout follows from the function's timeout: AWS asks for six times that, plus
    the batching window.

    :param function: consumes the messages; returns the identifiers of those that failed. It is granted what it needs
        on the queue; an imported one whose role is not given must be allowed to consume already.
    :param function_timeout: of a function that this app does not make; otherwise it is the function's own.
    :param queue_name: physical name, 1 to 80 letters, digits and any of ``_-``, of a FIFO queue with ``.fifo`` at the
        end. CloudFormation cannot make one, because the dead-letter queue names the only queue that it serves; the
        default comes from the construct's path.
    :param fifo: keeps the order of the messages of a group, and makes the dead-letter queue a FIFO queue too.
    :param batch_size: messages per invocation, 1 to 10,000 (FIFO: 10); above 10 needs a batching window.
    :param batching_window: how long a batch may gather, 0 to 300 s; 0 by default, and a FIFO queue has no other.
    :param max_concurrency: most invocations at once, 2 to 1,000.
    :param max_receives: attempts before the dead-letter queue, 2 to 1,000.
    :param dead_letter_queue: an existing one; by default a new one that keeps its messages for 14 days.
    :param encryption_key: customer managed KMS key; by default SQS's own (SSE-SQS), at no cost.
    :param retention: how long a message may wait, 60 s to 13 days; 4 days by default. It ends before the 14 days of
        the dead-letter queue, where a message's age still counts from when it was sent.
    :param max_age: the oldest message's age that raises the alarm, at least 60 s and below ``retention``; 15 minutes
        by default.
    :param posture: whether the queues survive their stack.
    :param alarm_topic: told of messages that wait too long, and of any dead letter.
    :raises ValueError: naming every option outside its range, and every pair that excludes each other.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.IFunction,
        function_timeout: Duration | None = None,
        queue_name: str | None = None,
        fifo: bool = False,
        batch_size: int = 10,
        batching_window: Duration | None = None,
        max_concurrency: int = 10,
        max_receives: int = 3,
        dead_letter_queue: sqs.IQueue | None = None,
        encryption_key: kms.IKey | None = None,
        retention: Duration | None = None,
        max_age: Duration | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the queues, the event source mapping and the alarms."""
        batching_window = batching_window or Duration.seconds(0)
        retention = retention or Duration.days(4)
        max_age = max_age or Duration.minutes(15)
        function_timeout = function_timeout or _timeout_of(function)
        window = batching_window.to_seconds()
        # Six attempts' worth of time, so that a message being retried does not become visible again meanwhile.
        visibility = 6 * (function_timeout or Duration.seconds(0)).to_seconds() + window
        with checked(QueueWorker, scope, construct_id) as options:
            check(
                options,
                function_timeout=function_timeout,
                reserved_concurrency=function.reserved_concurrency if isinstance(function, PythonFunction) else None,
                queue_name=queue_name,
                fifo=fifo,
                batch_size=batch_size,
                window=window,
                max_concurrency=max_concurrency,
                max_receives=max_receives,
                visibility=visibility,
                retention=retention.to_seconds(),
                max_age=max_age.to_seconds(),
                dead_letter_queue=dead_letter_queue,
            )
        super().__init__(scope, construct_id)

        name = queue_name or Names.unique_resource_name(self, max_length=75) + (".fifo" if fifo else "")
        both: dict[str, Any] = {"fifo": fifo or None, "encryption_key": encryption_key, "posture": posture}
        #: Holds what failed ``max_receives`` times; ``lab dlq`` shows it and sends it back.
        self.dead_letter_queue: sqs.IQueue = dead_letter_queue or self._dead_letter_queue(name, **both)
        #: Where producers send; grant it: ``worker.queue.grant_send_messages(producer)``.
        self.queue = EncryptedQueue(
            self,
            "Queue",
            queue_name=name,
            visibility_timeout=Duration.seconds(visibility),
            retention_period=retention,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=max_receives),
            **both,
        )
        #: What consumes the messages.
        self.function = function
        #: Hands the messages to the function in batches; a failed message comes back alone.
        self.event_source_mapping = self._event_source_mapping(
            batch_size=batch_size,
            max_batching_window=batching_window if window else None,
            max_concurrency=max_concurrency,
        )
        #: Age of the oldest message, and anything in the dead-letter queue.
        self.alarms = self._alarms(max_age, alarm_topic)

    def _dead_letter_queue(self, source_name: str, **options: Any) -> sqs.Queue:
        # By its name: a reference would make the two queues wait for each other.
        source = sqs.Queue.from_queue_arn(
            self, "Source", Stack.of(self).format_arn(service="sqs", resource=source_name)
        )
        # Not a DeadLetterQueue, whose own alarm would not watch one that exists already.
        queue = EncryptedQueue(
            self,
            "DeadLetterQueue",
            retention_period=Duration.days(14),
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE, source_queues=[source]
            ),
            **options,
        )
        acknowledge(queue, "Serverless-SQSRedrivePolicy", reason=IS_THE_LAST)
        return queue

    def _event_source_mapping(self, **options: Any) -> lambda_.EventSourceMapping:
        consumer = self.function.live if isinstance(self.function, PythonFunction) else self.function
        mapping = lambda_.EventSourceMapping(
            self,
            "EventSourceMapping",
            target=consumer,
            event_source_arn=self.queue.queue_arn,
            report_batch_item_failures=True,
            **options,
        )
        if consumer.role:
            self.queue.grant_consume_messages(consumer)
        acknowledge(
            mapping,
            "Serverless-LambdaEventSourceMappingDestination",
            reason="AWS Lambda has no destination for what fails from Amazon SQS: the dead-letter queue takes it.",
        )
        return mapping

    def _alarms(self, max_age: Duration, topic: sns.ITopic | None) -> list[cloudwatch.Alarm]:
        minute = Duration.minutes(1)
        return [
            alarm_above(
                self,
                "OldestMessage",
                metric=self.queue.metric_approximate_age_of_oldest_message(period=minute),
                threshold=max_age.to_seconds(),
                description="Messages wait too long: the function fails, or is slower than they come.",
                topic=topic,
            ),
            alarm_above(
                self,
                "DeadLetters",
                metric=self.dead_letter_queue.metric_approximate_number_of_messages_visible(period=minute),
                threshold=0,
                description="Messages failed for good: read them, mend the cause, redrive them.",
                topic=topic,
            ),
        ]


def _timeout_of(function: lambda_.IFunction) -> Duration | None:
    if isinstance(function, lambda_.Alias | lambda_.Version):
        function = function.lambda_
    if isinstance(function, lambda_.Function):
        return function.timeout or Duration.seconds(3)  # Lambda's own default
    return None
