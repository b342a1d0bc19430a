"""A cluster for unpredictable load, with a provisioned writer, and a function that may use its Data API."""

from dataclasses import replace
from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2

from lambda_src.aurora_cluster.capacity import Capacity
from lambda_src.aurora_cluster.construct import AuroraCluster
from lambda_src.aurora_cluster.instances import Provisioned, Serverless
from lambda_src.aurora_cluster.presets import VARIABLE
from lambda_src.function.construct import PythonFunction
from lambda_src.posture import Posture

app = App()
stack = Stack(app, "Shop")
isolated = ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
orders = AuroraCluster(
    stack,
    "Orders",
    preset=replace(VARIABLE, capacity=Capacity(2, 64)),
    # The base load is known and reserved; readers take what comes on top of it.
    instances=[Provisioned(ec2.InstanceType("r7g.xlarge")), Serverless(), Serverless(scales_with_writer=False)],
    vpc=ec2.Vpc(stack, "Vpc", subnet_configuration=[isolated]),
    database_name="orders",
    application_user="shop",
    posture=Posture.PRODUCTION,
)
function = PythonFunction(
    stack,
    "Report",
    runtime_code=Path(__file__).with_name("greeting"),
    environment={"CLUSTER_ARN": orders.cluster_arn, "SECRET_ARN": orders.application_secret.secret_arn},
)
orders.grant_data_api(function)
CfnOutput(stack, "ClusterArn", value=orders.cluster_arn)
app.synth()
