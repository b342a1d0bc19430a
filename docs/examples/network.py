"""A network with three zones, from which only three services of AWS can be reached."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2

from lambda_src.network.construct import Egress, Network

app = App()
stack = Stack(app, "Private")
network = Network(
    stack,
    "Network",
    egress=Egress.AWS_SERVICES,
    services=[
        ec2.InterfaceVpcEndpointAwsService.ECR,
        ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
        ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    ],
    zones=3,
    addresses="10.20.0.0/20",
)
CfnOutput(stack, "VpcId", value=network.vpc_id)
app.synth()
