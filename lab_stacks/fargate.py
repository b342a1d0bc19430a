"""Removing servers with Fargate: a container image as a service behind a load balancer, with no server to look after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager

from lab_stacks.section import Section
from lambda_src.fargate_service.construct import LoadBalancedFargateService
from lambda_src.network.construct import Network
from lambda_src.web_image.construct import WebImage

if TYPE_CHECKING:
    from constructs import Construct


class Fargate(Section):
    """Our image as a service of two tasks behind an Application Load Balancer."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section."""
        super().__init__(scope, construct_id, **kwargs)
        network = Network(self, "Network", posture=self.posture)
        image = WebImage(self, "Image")
        secret = secretsmanager.Secret(self, "Secret")
        web = LoadBalancedFargateService(
            self,
            "Web",
            vpc=network,
            image=ecs.ContainerImage.from_docker_image_asset(image),
            cpu_architecture=image.cpu_architecture,
            health_check_path=image.HEALTH_PATH,
            health_check_command=image.HEALTH_COMMAND,
            secrets={image.SECRET_VARIABLE: ecs.Secret.from_secrets_manager(secret)},
            posture=self.posture,
            alarm_topic=self.alarm_topic(),
        )
        self.output("Url", web.url)
        self.output("LoadBalancerName", web.load_balancer.load_balancer_name)
        self.output("ClusterName", web.cluster.cluster_name)
        self.output("ServiceName", web.service.service_name)
        self.output("LogGroupName", web.log_group.log_group_name)
        self.output("SecretArn", secret.secret_arn)
        self.output("TaskRoleArn", web.task_role.role_arn)
        self.output("AccessLogBucketName", web.access_logs.bucket_name)
