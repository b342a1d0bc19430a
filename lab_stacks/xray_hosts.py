"""What is not serverless, and sends traces all the same: an instance, a task, an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticbeanstalk as elasticbeanstalk

from lambda_src.message_sender.construct import SenderInstance
from lambda_src.traced_environment.construct import TracedEnvironment
from lambda_src.xray_agent.construct import XrayAgent
from lambda_src.xray_sidecar.construct import XraySidecar

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs

    from lab_stacks.section import Section


def add_host(section: Section, host: str, queue: sqs.IQueue) -> None:
    """Add ``ec2``, ``ecs`` or ``beanstalk``."""
    match host:
        case "ec2":
            _add_instance(section, queue)
        case "ecs":
            _add_task(section)
        case "beanstalk":
            _add_environment(section)


def _add_instance(section: Section, queue: sqs.IQueue) -> None:
    """EC2: install and run an agent, on an instance that sends messages."""
    client = SenderInstance(section, "Client", queue=queue, posture=section.posture)
    XrayAgent(section, "ClientAgent", instance=client.instance, isolated_vpc=client.vpc)
    section.output("ClientInstanceId", client.instance.instance_id)


def _add_task(section: Section) -> None:
    """ECS: install the agent within the task, beside any application: ``-c image=...``."""
    task = ecs.FargateTaskDefinition(section, "Task", cpu=256, memory_limit_mib=512)
    sidecar = XraySidecar(section, "TaskAgent", task_definition=task, posture=section.posture)
    image = ecs.ContainerImage.from_registry(section.setting("image", "public.ecr.aws/nginx/nginx:1.29"))
    sidecar.add_application("Application", image=image)
    section.output("TaskDefinitionArn", task.task_definition_arn)


def _add_environment(section: Section) -> None:
    """Elastic Beanstalk: an option of the environment, whose platform has no newest version: ``-c solution_stack``."""
    environment = TracedEnvironment(
        section,
        "Environment",
        application_name=elasticbeanstalk.CfnApplication(section, "Application").ref,
        solution_stack_name=section.setting("solution_stack", ""),
        posture=section.posture,
    )
    section.output("EnvironmentName", environment.ref)
