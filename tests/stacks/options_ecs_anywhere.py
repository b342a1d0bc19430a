"""The blocks for hosts outside AWS, with every option that a policy might ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_src.external_cluster.construct import ExternalCluster
from lambda_src.external_service.construct import ExternalContainerService
from lambda_src.managed_instance_role.construct import ManagedInstanceRole

if TYPE_CHECKING:
    import aws_cdk as cdk


def add(stack: cdk.Stack, operation: dict[str, Any]) -> None:
    """Add every block of the section, with every option given."""
    cluster = ExternalCluster(stack, "ExternalCluster", cluster_name="edge", posture=operation["posture"])
    ManagedInstanceRole(stack, "HostRole", cluster=cluster)
    secret = secretsmanager.Secret.from_secret_name_v2(stack, "Password", "shop/password")
    ExternalContainerService(
        stack,
        "External",
        cluster=cluster,
        image=ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx:1.29"),
        command=["nginx", "-g", "daemon off;"],
        environment={"SHOP": "berlin"},
        secrets={"PASSWORD": ecs.Secret.from_secrets_manager(secret)},
        cpu=512,
        memory_limit_mib=512,
        platform=ecr_assets.Platform.LINUX_ARM64,
        health_check=ecs.HealthCheck(command=["CMD", "true"]),
        container_port=80,
        host_port=8080,
        read_only=False,
        desired_count=2,
        **operation,
    )
