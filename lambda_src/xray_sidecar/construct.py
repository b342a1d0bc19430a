"""The CloudWatch agent beside the application in a task of Amazon ECS, which takes traces and sends them to X-Ray."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy
from lambda_src.log_group import log_group
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.trace_agent import ENVIRONMENT, configuration, let_send_traces

if TYPE_CHECKING:
    from collections.abc import Mapping

_REPOSITORY = "public.ecr.aws/cloudwatch-agent/cloudwatch-agent"


class XraySidecar(Construct):
    """A container that listens to the task's other containers, and whose end does not end the task.

    It takes segments on UDP 2000, answers for sampling rules on TCP 2000, and takes OpenTelemetry's traces on 4317 and
    4318. The others find it at 127.0.0.1, as the containers of a task in the network mode ``awsvpc`` share that; their
    ``environment`` says so to their SDKs.

    :param task_definition: where it is added; its task role is let send traces.
    :param agent_version: tag of the agent's image in Amazon's public registry (https://gallery.ecr.aws/cloudwatch-agent/
        has them all), never ``latest``.
    :param memory_limit_mib: most memory of the container, 64 MiB or more.
    :param encryption_key: customer managed KMS key for its log; by default CloudWatch Logs' own, at no cost.
    :param posture: how long its log is kept.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon-ecs.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        task_definition: ecs.TaskDefinition,
        agent_version: str = "1.300072.0b1766",
        memory_limit_mib: int = 256,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
    ) -> None:
        """Check the options, then add the container, its log group and what the task may do."""
        with checked(XraySidecar, scope, construct_id) as options:
            pinned = re.fullmatch(r"\d[\w.-]{0,127}", agent_version) is not None
            options.require(pinned, "agent_version", agent_version, "a version, so that every task runs the same")
            options.require(memory_limit_mib >= 64, "memory_limit_mib", memory_limit_mib, "64 MiB or more")
            shared = task_definition.network_mode == ecs.NetworkMode.AWS_VPC
            options.require(
                shared,
                "task_definition",
                task_definition.network_mode.name,
                "AWS_VPC, whose containers share 127.0.0.1",
            )
        super().__init__(scope, construct_id)
        self._task_definition = task_definition
        self._log_group = log_group(self, "Logs", posture=posture, encryption_key=encryption_key)
        #: Where the task's other containers find it, for their environment.
        self.environment: Mapping[str, str] = ENVIRONMENT
        #: Lets the task send traces.
        self.policy: iam.Policy = let_send_traces(self, "SendTraces", task_definition.task_role)
        #: The agent.
        self.container: ecs.ContainerDefinition = task_definition.add_container(
            "cloudwatch-agent",
            image=ecs.ContainerImage.from_registry(f"{_REPOSITORY}:{agent_version}"),
            essential=False,
            memory_limit_mib=memory_limit_mib,
            environment={"CW_CONFIG_CONTENT": configuration("127.0.0.1")},
            logging=self._logging("cloudwatch-agent"),
            port_mappings=[
                ecs.PortMapping(container_port=2000, protocol=ecs.Protocol.UDP),
                ecs.PortMapping(container_port=4317),
                ecs.PortMapping(container_port=4318),
            ],
        )
        acknowledge_inline_policy(task_definition.obtain_execution_role())
        acknowledge(
            task_definition,
            "AwsSolutions-ECS2",
            reason="The environment variables are the agent's configuration and two addresses inside the task: nothing "
            "in them is a secret. Whoever adds a secret takes it from AWS Secrets Manager: this would cover that too.",
        )

    def add_application(self, name: str, *, image: ecs.ContainerImage) -> ecs.ContainerDefinition:
        """Add a container that starts after the agent, and whose SDK finds it."""
        application = self._task_definition.add_container(
            name, image=image, environment=dict(self.environment), logging=self._logging(name)
        )
        application.add_container_dependencies(
            ecs.ContainerDependency(container=self.container, condition=ecs.ContainerDependencyCondition.START)
        )
        return application

    def _logging(self, name: str) -> ecs.LogDriver:
        return ecs.LogDriver.aws_logs(stream_prefix=name, log_group=self._log_group)
