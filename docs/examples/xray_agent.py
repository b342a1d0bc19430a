"""An instance that runs nothing but the agent."""

from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2

from lambda_src.xray_agent.construct import XrayAgent

app = App()
stack = Stack(app, "Traced")
instance = ec2.Instance(
    stack,
    "Instance",
    vpc=ec2.Vpc(stack, "Vpc", max_azs=1),
    instance_type=ec2.InstanceType("t4g.micro"),
    machine_image=ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64),
)
XrayAgent(stack, "Agent", instance=instance)
app.synth()
