"""A published application as a part of a stack, whose queue the stack's own outputs name."""

from aws_cdk import App, CfnOutput, Stack

from lambda_src.nested_application.construct import NestedApplication

app = App()
stack = Stack(app, "Shop")
messages = NestedApplication(
    stack,
    "Messages",
    application_id="arn:aws:serverlessrepo:us-east-1:111122223333:applications/serverless-lab-sqs-lambda",
    semantic_version="1.0.0",
    parameters={"CustomQueueName": "orders"},
)
CfnOutput(stack, "QueueUrl", value=messages.output("QueueUrl"))
app.synth()
