"""A shop that speaks HTTPS under a name of its own, and whose releases are tried on every tenth request first."""

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_route53 as route53

from lambda_src.fargate_service.construct import LoadBalancedFargateService
from lambda_src.fargate_service.deployment import Deployment
from lambda_src.fargate_service.scaling import Scaling
from lambda_src.fargate_service.task import Container
from lambda_src.network.construct import Network
from lambda_src.posture import Posture

app = App()
stack = Stack(app, "Shop")
zone = route53.HostedZone.from_hosted_zone_attributes(
    stack, "Zone", hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com"
)
shop = LoadBalancedFargateService(
    stack,
    "Shop",
    vpc=Network(stack, "Network", posture=Posture.PRODUCTION),
    container=Container(
        ecs.ContainerImage.from_registry("111122223333.dkr.ecr.eu-central-1.amazonaws.com/shop:v7"),
        cpu_architecture=ecs.CpuArchitecture.ARM64,
        environment={"CURRENCY": "EUR"},
        health_check_path="/health",
    ),
    cpu=512,
    memory_mib=1024,
    desired_count=3,
    scaling=Scaling(min_tasks=3, max_tasks=30, requests_per_target=None),
    spot_percent=50,
    deployment=Deployment(ecs.DeploymentStrategy.CANARY, step_percent=10, step_bake_time=Duration.minutes(15)),
    hosted_zone=zone,
    domain_name="shop.example.com",
    posture=Posture.PRODUCTION,
)
CfnOutput(stack, "Url", value=shop.url)
app.synth()
