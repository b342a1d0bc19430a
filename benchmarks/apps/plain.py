"""Lab 15.1 in plain CDK code: the chapter's handler between a queue and a table, with every default as it is."""

import sys

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

app = cdk.App()
stack = cdk.Stack(app, "Plain")
dead_letter_queue = sqs.Queue(stack, "DeadLetterQueue")
queue = sqs.Queue(
    stack, "Messages", dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letter_queue, max_receive_count=3)
)
message_id = dynamodb.Attribute(name="MessageId", type=dynamodb.AttributeType.STRING)
table = dynamodb.TableV2(stack, "Message", table_name="Message", partition_key=message_id)
function = lambda_.Function(
    stack,
    "SQSDynamoDB",
    runtime=lambda_.Runtime.PYTHON_3_14,
    handler="lambda_function.lambda_handler",
    code=lambda_.Code.from_asset(sys.argv[1]),
)
function.add_event_source(sources.SqsEventSource(queue))
table.grant_write_data(function)
app.synth()
