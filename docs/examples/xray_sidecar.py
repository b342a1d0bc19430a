"""A task on Fargate with an application and the agent that takes its traces."""

from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from lambda_src.xray_sidecar.construct import XraySidecar

app = App()
stack = Stack(app, "Traced")
task = ecs.FargateTaskDefinition(stack, "Task", cpu=256, memory_limit_mib=512)
agent = XraySidecar(stack, "Agent", task_definition=task)
agent.add_application("shop", image=ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx:1.29"))
app.synth()
