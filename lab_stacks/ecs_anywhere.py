"""Orchestrating containers outside AWS with Amazon ECS Anywhere: AWS manages, hosts of one's own run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events_targets as targets

from lab_stacks.section import Section
from lambda_src.email_topic import EmailTopic
from lambda_src.event_rule.construct import EventRule
from lambda_src.external_cluster.construct import ExternalCluster
from lambda_src.external_service.construct import ExternalContainerService
from lambda_src.managed_instance_role.construct import ManagedInstanceRole
from lambda_src.options import checked
from lambda_src.queue import event_dead_letter_queue
from lambda_src.web_image.construct import WebImage

if TYPE_CHECKING:
    from constructs import Construct


class EcsAnywhere(Section):
    """A cluster for hosts outside AWS, their role, and a service that runs one task on each of them.

    Context: ``tasks`` (a number, in place of one on each host), ``port`` of the hosts (a free one by default),
    ``architecture`` of the hosts (``x86-64`` or ``arm64``), ``cluster_name``, and ``email``, an address that is told of
    agents that lose their connection.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section, in the order in which the chapter tells it."""
        super().__init__(scope, construct_id, **kwargs)
        operation: dict[str, Any] = {"posture": self.posture, "alarm_topic": self.alarm_topic()}

        # "Completely managed orchestration solution"
        cluster = ExternalCluster(
            self, "Cluster", cluster_name=self.setting("cluster_name", "") or None, posture=self.posture
        )
        # "You must first register external instances as SSM Managed Instances"
        role = ManagedInstanceRole(self, "HostRole", cluster=cluster)
        # "Deploy containers using the EXTERNAL launch type", with "no ELB support"
        arm = self.choice("architecture", "x86-64", "arm64") == "arm64"
        platform = ecr_assets.Platform.LINUX_ARM64 if arm else ecr_assets.Platform.LINUX_AMD64
        image = WebImage(self, "Image", platform=platform)
        service = ExternalContainerService(
            self,
            "Web",
            cluster=cluster,
            image=ecs.ContainerImage.from_docker_image_asset(image),
            platform=platform,
            health_check=ecs.HealthCheck(command=image.HEALTH_COMMAND),
            container_port=image.PORT,
            host_port=self._number("port"),
            desired_count=self._number("tasks"),
            **operation,
        )
        # Who is told when a host's agent loses its connection
        dead_letters = event_dead_letter_queue(self, "DeadLetters", **operation)
        topic = EmailTopic(self, "Agents", email=self.setting("email", ""), dead_letter_queue=dead_letters)
        EventRule(
            self,
            "Disconnected",
            event_pattern=cluster.disconnected_pattern(by_hand="by-hand."),
            targets=[targets.SnsTopic(topic, authorize_using_role=True)],
            dead_letter_queue=dead_letters,
            **operation,
        )

        self.output("ClusterName", cluster.cluster_name)
        self.output("RoleName", role.role_name)
        self.output("ServiceName", service.service.service_name)
        self.output("LogGroupName", service.log_group.log_group_name)
        self.output("TopicArn", topic.topic_arn)
        self.output("DeadLetterQueueUrl", dead_letters.queue_url)

    def _number(self, name: str) -> int | None:
        given = self.setting(name, "")
        with checked(EcsAnywhere, self, "") as options:
            options.require(not given or given.isdecimal(), name, given, "a whole number")
        return int(given) if given else None
