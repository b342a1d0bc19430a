"""Removing servers with Fargate: a container image as a service behind a load balancer, and no server in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs

from lab_stacks.fargate_surroundings import name_and_certificate, network
from lab_stacks.section import Section
from lambda_src.fargate_service.construct import LoadBalancedFargateService
from lambda_src.fargate_service.deployment import Deployment
from lambda_src.fargate_service.scaling import Scaling
from lambda_src.fargate_service.task import Container
from lambda_src.generated_secret import GeneratedSecret
from lambda_src.web_image.construct import WebImage

if TYPE_CHECKING:
    from constructs import Construct

_STRATEGIES = {one.name.lower().replace("_", "-"): one for one in ecs.DeploymentStrategy}


class Fargate(Section):
    """Our image as a service of two tasks behind an Application Load Balancer.

    Context: ``architecture`` (``arm64``), ``base_image`` and ``busybox_image`` of the image; ``cpu``, ``memory_mib``,
    ``desired_count``, ``min_tasks``, ``max_tasks`` and ``spot_percent``; ``deployment`` (``blue-green``, ``linear`` or
    ``canary``); ``certificate_arn``, or ``zone_id`` and ``zone_name``, and ``domain_name``; ``vpc_id`` with
    ``public_subnets`` and ``private_subnets``; ``web_acl_arn``; ``execute_command`` (``enabled`` opens shells) and
    ``tracing`` (``sidecar``).
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section, in the order in which the chapter tells it."""
        super().__init__(scope, construct_id, **kwargs)
        tracing = self.choice("tracing", "none", "sidecar") == "sidecar"
        shell = self.choice("execute_command", "disabled", "enabled") == "enabled"
        strategy = _STRATEGIES[self.choice("deployment", *_STRATEGIES)]
        rolling = strategy is ecs.DeploymentStrategy.ROLLING

        # "AWS owns and manages underlying infrastructure": what is ours is an image, and a secret for it
        arm = self.choice("architecture", "x86-64", "arm64") == "arm64"
        image = WebImage(
            self,
            "Image",
            platform=ecr_assets.Platform.LINUX_ARM64 if arm else ecr_assets.Platform.LINUX_AMD64,
            base_image=self.setting("base_image", "") or None,
            busybox_image=self.setting("busybox_image", "") or None,
        )
        secret = GeneratedSecret(
            self,
            "Secret",
            description="The page proves that its container knows it.",
            not_rotated="A task reads it when it starts: a rotation in between would not reach the tasks that run. A "
            "deployment after a change of the secret takes the new one.",
        )
        # "Pay based on resources allocated and ran", in "isolated environments"
        web = LoadBalancedFargateService(
            self,
            "Web",
            vpc=network(self, internet=tracing, shell=shell),
            container=Container(
                ecs.ContainerImage.from_docker_image_asset(image),
                port=image.PORT,
                cpu_architecture=image.cpu_architecture,
                secrets={image.SECRET_VARIABLE: ecs.Secret.from_secrets_manager(secret)},
                health_check_path=image.HEALTH_PATH,
                health_check_command=image.HEALTH_COMMAND,
            ),
            cpu=self.number("cpu", 256),
            memory_mib=self.number("memory_mib", 512),
            desired_count=self.number("desired_count", 2),
            scaling=Scaling(
                min_tasks=self.number("min_tasks", 2),
                max_tasks=self.number("max_tasks", 10),
                requests_per_target=1000 if rolling else None,
            ),
            spot_percent=self.number("spot_percent", 0),
            deployment=Deployment(strategy),
            web_acl_arn=self.setting("web_acl_arn", "") or None,
            execute_command=shell,
            tracing=tracing,
            posture=self.posture,
            alarm_topic=self.alarm_topic(),
            **name_and_certificate(self),
        )

        self.output("Url", web.url)
        self.output("LoadBalancerName", web.load_balancer.load_balancer_name)
        self.output("ClusterName", web.cluster.cluster_name)
        self.output("ServiceName", web.service.service_name)
        self.output("TaskRoleArn", web.task_role.role_arn)
        self.output("LogGroupName", web.log_group.log_group_name)
        self.output("SecretArn", secret.secret_arn)
        self.output("AccessLogBucketName", web.access_logs.bucket_name)
