"""A group of the requests that are answered late, for whatever reason."""

from aws_cdk import App, Stack

from lambda_src.trace_group.construct import TraceGroup

app = App()
stack = Stack(app, "Traces")
TraceGroup(stack, "Slow", group_name="slow", filter_expression='service("Orders/v1") AND responsetime > 2')
app.synth()
