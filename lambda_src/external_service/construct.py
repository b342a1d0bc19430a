"""A service of Amazon ECS on hosts outside AWS, of the launch type EXTERNAL: no load balancer in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy
from lambda_src.external_service.alarms import service_alarms
from lambda_src.log_group import log_group
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_src.external_cluster.construct import ExternalCluster
    from lambda_src.options import Options

#: As the ECS agent calls the host's, by the platform of an image.
_ARCHITECTURES = {"linux/amd64": "x86_64", "linux/arm64": "arm64"}


class ExternalContainerService(Construct):
    """One container on every host, or a number of them anywhere, kept running, with its own roles, log and alarms.

    Amazon ECS decides what runs where; the host needs no orchestration software. Load balancers, autoscaling, Service
    Connect and Cloud Map are not for external instances: the application pulls its work, or something on premises
    finds the host's port.

    *What runs*

    :param cluster: whose container instances the hosts are.
    :param image: the container's image.
    :param command: what to run in place of the image's own command.
    :param environment: variables, none of them secret.
    :param secrets: variables from AWS Secrets Manager or Parameter Store, which the execution role may read.
    :param cpu: CPU units, 1,024 for each virtual CPU, 128 or more; others may use what it leaves.
    :param memory_limit_mib: most memory, 6 MiB or more; above it the container is ended.
    :param platform: ``LINUX_AMD64`` or ``LINUX_ARM64``, when the image is for one of them alone: only on such hosts; by
        default on any.
    :param health_check: a command inside the container that says whether it works; by default none, as Amazon ECS does
        not look at the image's own ``HEALTHCHECK``.
    :param container_port: where it listens, 1 to 65,535; by default it does not.
    :param host_port: where the host listens for it; by default a free port from 32,768 on, so that a new task can
        start beside the old one.
    :param read_only: whether the container's root file system is closed to what runs in it.

    *How many*

    :param desired_count: tasks on whichever hosts have room, 0 to 5,000; by default one on each host (the daemon
        strategy), which needs no host to be there when the stack is deployed.

    *Operation*

    :param encryption_key: customer managed KMS key for its log; by default CloudWatch Logs' own, at no cost.
    :param posture: how long its log is kept.
    :param alarm_topic: told when a task that should run does not, and when memory is short.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-anywhere.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ExternalCluster,
        image: ecs.ContainerImage,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, ecs.Secret] | None = None,
        cpu: int = 256,
        memory_limit_mib: int = 256,
        platform: ecr_assets.Platform | None = None,
        health_check: ecs.HealthCheck | None = None,
        container_port: int | None = None,
        host_port: int | None = None,
        read_only: bool = True,
        desired_count: int | None = None,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the task definition, the service, its log group and its alarms."""
        with checked(ExternalContainerService, scope, construct_id) as options:
            options.require(cpu >= 128, "cpu", cpu, "128 or more")
            options.require(memory_limit_mib >= 6, "memory_limit_mib", memory_limit_mib, "6 MiB or more")
            counted = desired_count is None or 0 <= desired_count <= 5000
            options.require(counted, "desired_count", desired_count, "0 to 5,000, or none for one on each host")
            known = platform is None or platform.platform in _ARCHITECTURES
            options.require(known, "platform", platform and platform.platform, " or ".join(_ARCHITECTURES))
            _check_ports(options, container_port, host_port)
        super().__init__(scope, construct_id)
        #: Receives what the container writes to standard output and error.
        self.log_group: logs.LogGroup = log_group(self, "Logs", posture=posture, encryption_key=encryption_key)
        #: What runs: its task role is for the application, its execution role pulls, logs and reads secrets.
        self.task_definition: ecs.ExternalTaskDefinition = ecs.ExternalTaskDefinition(
            self, "Task", network_mode=ecs.NetworkMode.BRIDGE
        )
        if platform:
            self.task_definition.add_placement_constraint(
                ecs.PlacementConstraint.member_of(
                    f"attribute:ecs.cpu-architecture == {_ARCHITECTURES[platform.platform]}"
                )
            )
        #: The container.
        self.container: ecs.ContainerDefinition = self.task_definition.add_container(
            "Application",
            image=image,
            command=list(command) if command else None,
            cpu=cpu,
            memory_limit_mib=memory_limit_mib,
            environment=dict(environment or {}),
            secrets=dict(secrets or {}),
            health_check=health_check,
            readonly_root_filesystem=read_only,
            port_mappings=[ecs.PortMapping(container_port=container_port, host_port=host_port or 0)]
            if container_port
            else None,
            logging=ecs.LogDriver.aws_logs(
                stream_prefix="application", log_group=self.log_group, mode=ecs.AwsLogDriverMode.NON_BLOCKING
            ),
        )
        everywhere = desired_count is None
        # Where the host's port is fixed, a host has room for one task: the old one ends before the new one starts.
        beside = not everywhere and host_port is None
        #: The service.
        self.service: ecs.ExternalService = ecs.ExternalService(
            self,
            "Service",
            cluster=cluster.cluster,
            task_definition=self.task_definition,
            daemon=everywhere,
            desired_count=desired_count,
            min_healthy_percent=100 if beside else 0,
            max_healthy_percent=200 if beside else 100,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        #: Tasks that should run and do not; memory.
        self.alarms: Sequence[cloudwatch.Alarm] = service_alarms(
            self, self.service, cluster_name=cluster.cluster_name, topic=alarm_topic
        )
        self._acknowledge(environment, read_only)

    def _acknowledge(self, environment: Mapping[str, str] | None, read_only: bool) -> None:
        execution_role = self.task_definition.obtain_execution_role()
        acknowledge_inline_policy(execution_role)
        acknowledge(
            execution_role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="A token for Amazon ECR is the registry's, and no resource that a policy could name: what it is "
            "good for, the other statements say, for the one repository of the image.",
        )
        if environment:
            acknowledge(
                self.task_definition,
                "AwsSolutions-ECS2",
                reason="The environment holds settings, none of which is a secret: those are given by the option "
                "secrets, and come from AWS Secrets Manager or Parameter Store.",
            )
        if not read_only:
            acknowledge(
                self.task_definition,
                "CKV_AWS_336",
                reason="Whoever made the service said read_only=False, because its image writes into its own files.",
            )


def _check_ports(options: Options, container_port: int | None, host_port: int | None) -> None:
    for name, port in (("container_port", container_port), ("host_port", host_port)):
        options.require(port is None or 1 <= port <= 65_535, name, port, "1 to 65,535")
    options.require(host_port is None or container_port is not None, "host_port", host_port, "needs a container_port")
