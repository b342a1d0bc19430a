"""A topic whose messages a queue gets, each with the trace that it belongs to."""

from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs

from lambda_src.traced_topic.construct import TracedTopic

app = App()
stack = Stack(app, "Orders")
topic = TracedTopic(stack, "Placed")
topic.deliver_to(sqs.Queue(stack, "ToPack", enforce_ssl=True))
app.synth()
