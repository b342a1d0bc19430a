"""What runs: a container with as few rights as it gets by with, and the two roles of its task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy
from lambda_src.fargate_service.roles import role_of_tasks
from lambda_src.log_group import log_group
from lambda_src.xray_sidecar.construct import XraySidecar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_src.options import Options
    from lambda_src.posture import Posture


@dataclass(frozen=True)
class Container:
    """The image of a service, and how it runs: not as root, and without writing to its root file system.

    :param image: what runs.
    :param port: where it listens for HTTP, 1 to 65,535; above 1,024 needs no rights.
    :param cpu_architecture: what the image is built for; x86-64 by default. ``ARM64`` costs 20 % less.
    :param environment: its environment variables: nothing that is a secret.
    :param secrets: environment variables that come from AWS Secrets Manager or from a parameter, when it starts.
    :param user: whose rights it has, ``user`` or ``user:group``, by number or by name; never root's.
    :param health_check_path: what the load balancer asks for every ten seconds: 200 is well.
    :param health_check_command: what Amazon ECS runs in the container as often, such as ``["CMD", "/check"]``; by
        default nothing. The image's own ``HEALTHCHECK`` means nothing to Amazon ECS.
    :param stop_timeout: between the request to end (SIGTERM) and the end (SIGKILL), 1 to 120 s. For as long, before
        that, the load balancer lets it answer what it was asked.
    """

    image: ecs.ContainerImage
    port: int = 8080
    cpu_architecture: ecs.CpuArchitecture | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, ecs.Secret] = field(default_factory=dict)
    user: str = "65532:65532"
    health_check_path: str = "/"
    health_check_command: Sequence[str] = ()
    stop_timeout: Duration = field(default_factory=lambda: Duration.seconds(30))

    def check(self, options: Options) -> None:
        """Note what is outside its range."""
        options.require(1 <= self.port <= 65535, "container.port", self.port, "1 to 65,535")
        root = self.user.partition(":")[0] in {"", "0", "root"}
        options.require(not root, "container.user", self.user, "somebody who is not root, such as 65532:65532")
        path = self.health_check_path
        options.require(path.startswith("/"), "container.health_check_path", path, "a path that begins with /")
        seconds = self.stop_timeout.to_seconds()
        options.require(1 <= seconds <= 120, "container.stop_timeout", f"{seconds:g} s", "1 to 120 s")
        twice = sorted(self.environment.keys() & self.secrets.keys())
        options.require(not twice, "container.secrets", ", ".join(twice), "not in the environment too")


class Task(Construct):
    """A task definition, its roles and its log group."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        container: Container,
        *,
        cpu: int,
        memory_mib: int,
        execute_command: bool,
        tracing: bool,
        encryption_key: kms.IKey | None,
        posture: Posture,
    ) -> None:
        """Make them."""
        super().__init__(scope, construct_id)
        #: What the container prints.
        self.log_group: logs.LogGroup = log_group(self, "Logs", posture=posture, encryption_key=encryption_key)
        #: What the container may do.
        self.role: iam.Role = role_of_tasks(self, "Role", description="What the container may do")
        #: What starts the task may do.
        self.execution_role: iam.Role = role_of_tasks(
            self, "ExecutionRole", description="Starts the task: pulls its image, writes its logs, reads its secrets"
        )
        #: What runs.
        self.definition: ecs.FargateTaskDefinition = ecs.FargateTaskDefinition(
            self,
            "Definition",
            cpu=cpu,
            memory_limit_mib=memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=container.cpu_architecture or ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            task_role=self.role,
            execution_role=self.execution_role,
        )
        self._container = self._add(container, writable=execute_command)
        acknowledge_inline_policy(self.execution_role)
        acknowledge(
            self.execution_role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="ecr:GetAuthorizationToken is a permission on no resource: the token is the registry's, and what it "
            "opens are the repositories that the other statements name.",
        )
        if tracing:
            self._trace(encryption_key, posture)
        elif container.environment:
            acknowledge(
                self.definition,
                "AwsSolutions-ECS2",
                reason="The environment variables are settings that everybody may see who may see the task; secrets "
                "have an option of their own, and come from AWS Secrets Manager when the container starts.",
            )

    def _add(self, container: Container, *, writable: bool) -> ecs.ContainerDefinition:
        return self.definition.add_container(
            "web",
            image=container.image,
            environment=dict(container.environment) or None,
            secrets=dict(container.secrets) or None,
            user=container.user,
            readonly_root_filesystem=not writable,
            stop_timeout=container.stop_timeout,
            port_mappings=[ecs.PortMapping(container_port=container.port)],
            logging=ecs.LogDriver.aws_logs(
                stream_prefix="web",
                log_group=self.log_group,
                # A log that cannot be written must not stop whoever writes it.
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            ),
            health_check=_health_check(container.health_check_command),
        )

    def _trace(self, encryption_key: kms.IKey | None, posture: Posture) -> None:
        agent = XraySidecar(
            self, "Tracing", task_definition=self.definition, encryption_key=encryption_key, posture=posture
        )
        for name, value in agent.environment.items():
            self._container.add_environment(name, value)
        self._container.add_container_dependencies(
            ecs.ContainerDependency(container=agent.container, condition=ecs.ContainerDependencyCondition.START)
        )


def _health_check(command: Sequence[str]) -> ecs.HealthCheck | None:
    """Ask as often as the load balancer does; a task that is unwell three times in a row is replaced."""
    if not command:
        return None
    return ecs.HealthCheck(
        command=list(command),
        interval=Duration.seconds(10),
        timeout=Duration.seconds(5),
        retries=3,
        start_period=Duration.seconds(10),
    )
