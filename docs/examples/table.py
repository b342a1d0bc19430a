"""A table of sessions that DynamoDB deletes when they are over."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb

from lambda_src.posture import Posture
from lambda_src.table.construct import OnDemandTable

app = App()
stack = Stack(app, "Sessions")
sessions = OnDemandTable(
    stack,
    "Session",
    partition_key=dynamodb.Attribute(name="SessionId", type=dynamodb.AttributeType.STRING),
    time_to_live_attribute="EndsAt",
    posture=Posture.PRODUCTION,
)
CfnOutput(stack, "TableName", value=sessions.table_name)
app.synth()
