"""Lab 15.1: Amazon SQS triggers AWS Lambda, which writes every message to Amazon DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb

from lab_stacks.section import Section
from lambda_src.function.construct import PythonFunction
from lambda_src.queue_worker import RUNTIME
from lambda_src.queue_worker.construct import QueueWorker
from lambda_src.table.construct import OnDemandTable

if TYPE_CHECKING:
    from constructs import Construct


class SqsLambda(Section):
    """Queue ``Messages``, function ``SQSDynamoDB``, table ``Message``; the names can be changed from context.

    Context: ``queue_name``, ``function_name``, ``table_name``, and ``client``: ``ec2`` adds the chapter's instance that
    sends messages; by default (``none``) they are sent from wherever ``lab send`` runs.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the lab, in the order in which the chapter tells it."""
        super().__init__(scope, construct_id, **kwargs)
        client = self.choice("client", "none", "ec2")
        alarm_topic = self.alarm_topic()

        messages = OnDemandTable(
            self,
            "Message",
            table_name=self.setting("table_name", "Message"),
            partition_key=dynamodb.Attribute(name="MessageId", type=dynamodb.AttributeType.STRING),
            posture=self.posture,
        )
        # 1. Create the Lambda function
        consumer = PythonFunction(
            self,
            "SQSDynamoDB",
            function_name=self.setting("function_name", "SQSDynamoDB"),
            runtime_code=RUNTIME,
            environment={"TABLE_NAME": messages.table_name, "POWERTOOLS_SERVICE_NAME": "sqs-lambda"},
            timeout=Duration.seconds(10),
            posture=self.posture,
            alarm_topic=alarm_topic,
        )
        messages.grants.actions(consumer, "dynamodb:BatchWriteItem")
        # 2. Create the SQS trigger
        worker = QueueWorker(
            self,
            "Messages",
            queue_name=self.setting("queue_name", "Messages"),
            function=consumer,
            posture=self.posture,
            alarm_topic=alarm_topic,
        )
        # 4. Test the Lambda function from an EC2 instance
        if client == "ec2":
            from lambda_src.message_sender.construct import SenderInstance  # noqa: PLC0415 - few need all of Amazon EC2

            sender = SenderInstance(self, "Client", queue=worker.queue, posture=self.posture)
            self.output("ClientInstanceId", sender.instance.instance_id)

        self.output("QueueUrl", worker.queue.queue_url)
        self.output("DeadLetterQueueUrl", worker.dead_letter_queue.queue_url)
        self.output("FunctionName", consumer.function_name)
        self.output("TableName", messages.table_name)
