"""A queue, and an instance whose only work is to send messages to it."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_sqs as sqs

from lambda_src.message_sender.construct import SenderInstance

app = App()
stack = Stack(app, "Client")
queue = sqs.Queue(stack, "Queue", enforce_ssl=True)
sender = SenderInstance(stack, "Sender", queue=queue)
CfnOutput(stack, "InstanceId", value=sender.instance.instance_id)
app.synth()
