"""Two workers on any servers of the branches, which take orders from a queue and need nobody to connect to them."""

from aws_cdk import App, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_sqs as sqs

from lambda_src.external_cluster.construct import ExternalCluster
from lambda_src.external_service.construct import ExternalContainerService
from lambda_src.posture import Posture

app = App()
stack = Stack(app, "Branches")
orders = sqs.Queue(stack, "Orders", encryption=sqs.QueueEncryption.SQS_MANAGED, enforce_ssl=True)
worker = ExternalContainerService(
    stack,
    "Worker",
    cluster=ExternalCluster(stack, "Branches", posture=Posture.PRODUCTION),
    image=ecs.ContainerImage.from_registry("public.ecr.aws/amazonlinux/amazonlinux:2023"),
    command=["/usr/bin/sleep", "infinity"],
    environment={"QUEUE_URL": orders.queue_url},
    platform=ecr_assets.Platform.LINUX_AMD64,
    desired_count=2,
    posture=Posture.PRODUCTION,
)
orders.grant_consume_messages(worker.task_definition.task_role)
app.synth()
