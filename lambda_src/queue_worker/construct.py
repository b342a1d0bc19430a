"""A queue whose messages a function consumes in batches, none of them ever lost."""

from __future__ import annotations

from functools import partial

from aws_cdk import Duration, Names, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_src.alarms import alarm_above
from lambda_src.function.construct import PythonFunction
from lambda_src.options import checked
from lambda_src.posture import Posture


class QueueWorker(Construct):
    """Queue, dead-letter queue, and the event source mapping to a function.

    A message leaves the queue when the function has handled it, or, after ``max_receives`` attempts, for the
    dead-letter queue. The visibility timeout follows from the function's timeout: AWS asks for six times that, plus
    the batching window.

    :param function: consumes the messages; returns the identifiers of those that failed.
    :param function_timeout: of a function that this app does not make; otherwise it is the function's own.
    :param queue_name: physical name, 1 to 80 characters, of a FIFO queue with ``.fifo`` at the end. CloudFormation
        cannot make one, because the dead-letter queue names the only queue that it serves; the default comes from
        the construct's path.
    :param fifo: keeps the order of the messages of a group, and makes the dead-letter queue a FIFO queue too.
    :param batch_size: messages per invocation, 1 to 10,000 (FIFO: 10); above 10 needs a batching window.
    :param batching_window: how long a batch may gather, 0 to 300 s; a FIFO queue has none.
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
            named = queue_name is None or 1 <= len(queue_name) <= 80
            options.require(named, "queue_name", queue_name, "1 to 80 characters")
            options.require(
                queue_name is None or queue_name.endswith(".fifo") == fifo,
                "queue_name",
                queue_name,
                "the name of a FIFO queue, and of no other, ends in .fifo",
            )
            options.require(
                function_timeout is not None,
                "function_timeout",
                "unknown",
                "give it for a function that this app does not make",
            )
            options.require(1 <= batch_size <= 10_000, "batch_size", batch_size, "1 to 10,000")
            options.require(0 <= window <= 300, "batching_window", f"{window:g} s", "0 to 300 s")
            if fifo:
                options.require(batch_size <= 10, "batch_size", batch_size, "10 at most from a FIFO queue")
                options.require(window == 0, "batching_window", f"{window:g} s", "a FIFO queue has none; leave it out")
            else:
                options.require(
                    batch_size <= 10 or window >= 1,
                    "batch_size",
                    batch_size,
                    "above 10 needs a batching_window of 1 s or more",
                )
            options.require(2 <= max_concurrency <= 1000, "max_concurrency", max_concurrency, "2 to 1,000")
            reserved = function.reserved_concurrency if isinstance(function, PythonFunction) else None
            options.require(
                reserved is None or max_concurrency <= reserved,
                "max_concurrency",
                max_concurrency,
                f"at most the function's reserved_concurrency of {reserved}, "
                "or throttled messages end in the dead-letter queue",
            )
            options.require(
                2 <= max_receives <= 1000, "max_receives", max_receives, "2 to 1,000, or one failure buries a message"
            )
            kept = retention.to_seconds()
            options.require(60 <= kept <= 13 * 86_400, "retention", f"{kept:g} s", "60 s to 13 days")
            options.require(
                kept > max_receives * visibility,
                "retention",
                f"{kept:g} s",
                f"longer than {max_receives} attempts of {visibility:g} s, "
                "or a message expires before it reaches the dead-letter queue",
            )
            age = max_age.to_seconds()
            options.require(60 <= age < kept, "max_age", f"{age:g} s", f"60 s or more and below {kept:g} s")
            options.require(
                dead_letter_queue is None or dead_letter_queue.fifo == fifo,
                "dead_letter_queue",
                "of the other kind",
                "a FIFO queue has a FIFO dead-letter queue, a standard queue a standard one",
            )
        super().__init__(scope, construct_id)

        name = queue_name or Names.unique_resource_name(self, max_length=75) + (".fifo" if fifo else "")
        queue = partial(
            sqs.Queue,
            self,
            fifo=fifo or None,
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.KMS if encryption_key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=encryption_key,
            removal_policy=posture.removal_policy,
        )
        #: Holds what failed ``max_receives`` times; ``lab dlq`` shows it and sends it back.
        self.dead_letter_queue: sqs.IQueue = dead_letter_queue or queue(
            "DeadLetterQueue",
            retention_period=Duration.days(14),
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE,
                # By its name: a reference would make the two queues wait for each other.
                source_queues=[
                    sqs.Queue.from_queue_arn(self, "Source", Stack.of(self).format_arn(service="sqs", resource=name))
                ],
            ),
        )
        #: Where producers send; grant it: ``worker.queue.grant_send_messages(producer)``.
        self.queue = queue(
            "Queue",
            queue_name=name,
            visibility_timeout=Duration.seconds(visibility),
            retention_period=retention,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=max_receives),
        )
        #: What consumes the messages.
        self.function = function
        consumer = function.live if isinstance(function, PythonFunction) else function
        consumer.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=batch_size,
                max_batching_window=batching_window if window else None,
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,
            )
        )
        #: Age of the oldest message, and anything in the dead-letter queue.
        self.alarms = self._alarms(max_age, alarm_topic)

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
