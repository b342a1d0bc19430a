"""Whatever an application says on the default bus is recorded, while it is being built."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_events as events

from lambda_src.event_recorder.construct import EventRecorder
from lambda_src.event_rule.construct import EventRule

app = App()
stack = Stack(app, "Observed")
recorder = EventRecorder(stack, "Recorder")
EventRule(
    stack,
    "Everything",
    event_pattern={"source": events.Match.prefix("shop.")},
    targets=[recorder.target("Everything")],
)
CfnOutput(stack, "TableName", value=recorder.table.table_name)
app.synth()
