"""A cluster for the servers of the branches, and a queue that is told when one of their agents is disconnected."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_events_targets as targets

from lambda_src.event_rule.construct import EventRule
from lambda_src.external_cluster.construct import ExternalCluster
from lambda_src.posture import Posture
from lambda_src.queue import InspectedQueue

app = App()
stack = Stack(app, "Branches")
cluster = ExternalCluster(stack, "Branches", cluster_name="branches", posture=Posture.PRODUCTION)
EventRule(
    stack,
    "Disconnected",
    event_pattern=cluster.disconnected_pattern(),
    targets=[targets.SqsQueue(InspectedQueue(stack, "Agents"))],
)
CfnOutput(stack, "ClusterArn", value=cluster.cluster_arn)
app.synth()
