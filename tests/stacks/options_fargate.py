"""The blocks of the section on Fargate, with every option that a policy might ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_route53 as route53
from constructs import Construct

from lambda_src.fargate_service.alarms import Thresholds
from lambda_src.fargate_service.construct import LoadBalancedFargateService
from lambda_src.fargate_service.deployment import Deployment
from lambda_src.fargate_service.scaling import Scaling
from lambda_src.fargate_service.task import Container
from lambda_src.generated_secret import GeneratedSecret
from lambda_src.network.construct import Egress, Network

if TYPE_CHECKING:
    import aws_cdk as cdk


def add(stack: cdk.Stack, operation: dict[str, Any]) -> None:
    """Add them; ``operation`` has the key, the posture and the topic of alarms."""
    scope = Construct(stack, "Fargate")
    network = Network(
        scope, "Network", egress=Egress.INTERNET, zones=3, addresses="10.16.0.0/20", posture=operation["posture"]
    )
    secret = GeneratedSecret(
        scope,
        "Secret",
        description="Of the web server.",
        not_rotated="A task reads it when it starts, and a rotation in between would not reach those that run.",
        encryption_key=operation["encryption_key"],
    )
    zone = route53.HostedZone.from_hosted_zone_attributes(scope, "Zone", hosted_zone_id="Z1", zone_name="example.com")
    certificate = acm.Certificate.from_certificate_arn(
        scope, "Certificate", "arn:aws:acm:us-east-1:111122223333:certificate/web"
    )
    LoadBalancedFargateService(
        scope,
        "Web",
        vpc=network,
        container=Container(
            ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx:1.29"),
            port=80,
            cpu_architecture=ecs.CpuArchitecture.ARM64,
            environment={"COLOUR": "green"},
            secrets={"PASSWORD": ecs.Secret.from_secrets_manager(secret)},
            user="nginx",
            health_check_path="/health",
            health_check_command=["CMD", "/check"],
            stop_timeout=Duration.seconds(120),
        ),
        cpu=1024,
        memory_mib=2048,
        desired_count=4,
        scaling=Scaling(min_tasks=3, max_tasks=30, cpu_percent=50, requests_per_target=None),
        spot_percent=50,
        deployment=Deployment(
            ecs.DeploymentStrategy.LINEAR,
            bake_time=Duration.minutes(5),
            step_percent=25,
            step_bake_time=Duration.minutes(3),
        ),
        certificate=certificate,
        hosted_zone=zone,
        domain_name="example.com",
        internet_facing=False,
        clients=[ec2.Peer.ipv4("10.0.0.0/8")],
        web_acl_arn="arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1",
        health_check_grace_period=Duration.minutes(2),
        execute_command=True,
        tracing=True,
        thresholds=Thresholds(server_errors=0, latency=Duration.millis(200)),
        **operation,
    )
