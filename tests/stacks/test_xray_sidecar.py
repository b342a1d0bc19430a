"""The agent inside a task of Amazon ECS: where it listens, what the task may do, and how an application finds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_ecs as ecs
from aws_cdk.assertions import Template

from lambda_src.xray_sidecar.construct import XraySidecar
from tests.stacks.synthesis import only, permissions
from tests.stacks.test_xray_agent import MAY

if TYPE_CHECKING:
    from aws_cdk import Stack

IMAGE = ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx:1.29")


@pytest.fixture
def task(stack: Stack) -> ecs.FargateTaskDefinition:
    return ecs.FargateTaskDefinition(stack, "Task", memory_limit_mib=512)


def containers(stack: Stack) -> dict[str, dict[str, Any]]:
    task = only(Template.from_stack(stack).to_json(), "AWS::ECS::TaskDefinition")
    return {container["Name"]: container for container in task["ContainerDefinitions"]}


def test_it_takes_segments_on_udp_2000_and_opentelemetry(stack: Stack, task: ecs.FargateTaskDefinition) -> None:
    XraySidecar(stack, "Agent", task_definition=task).add_application("shop", image=IMAGE)

    agent = containers(stack)["cloudwatch-agent"]
    assert [(port["ContainerPort"], port["Protocol"]) for port in agent["PortMappings"]] == [
        (2000, "udp"),
        (4317, "tcp"),
        (4318, "tcp"),
    ]
    [variable] = agent["Environment"]
    assert variable["Name"] == "CW_CONFIG_CONTENT"
    assert set(json.loads(variable["Value"])["traces"]["traces_collected"]) == {"xray", "otlp"}


def test_its_end_is_not_the_end_of_the_task(stack: Stack, task: ecs.FargateTaskDefinition) -> None:
    XraySidecar(stack, "Agent", task_definition=task).add_application("shop", image=IMAGE)

    made = containers(stack)
    assert (made["cloudwatch-agent"]["Essential"], made["shop"]["Essential"]) == (False, True)


def test_an_application_finds_it_and_starts_after_it(stack: Stack, task: ecs.FargateTaskDefinition) -> None:
    XraySidecar(stack, "Agent", task_definition=task).add_application("shop", image=IMAGE)

    shop = containers(stack)["shop"]
    assert {variable["Name"]: variable["Value"] for variable in shop["Environment"]} == {
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
    }
    assert shop["DependsOn"] == [{"Condition": "START", "ContainerName": "cloudwatch-agent"}]


def test_the_task_may_send_traces_and_nothing_else(stack: Stack, task: ecs.FargateTaskDefinition) -> None:
    XraySidecar(stack, "Agent", task_definition=task).add_application("shop", image=IMAGE)

    role = stack.resolve(task.task_role.role_arn)["Fn::GetAtt"][0]
    assert permissions(Template.from_stack(stack).to_json(), role) == dict.fromkeys(MAY, "*")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"agent_version": "latest"}, "agent_version is latest: a version, so that every task runs the same"),
        ({"memory_limit_mib": 32}, "memory_limit_mib is 32: 64 MiB or more"),
    ],
)
def test_it_refuses(stack: Stack, task: ecs.FargateTaskDefinition, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="XraySidecar Empty/Agent:") as refusal:
        XraySidecar(stack, "Agent", task_definition=task, **options)

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}"]


def test_it_refuses_a_task_whose_containers_share_no_address(stack: Stack) -> None:
    bridged = ecs.Ec2TaskDefinition(stack, "Bridged", network_mode=ecs.NetworkMode.BRIDGE)

    with pytest.raises(ValueError, match=r"task_definition is BRIDGE: AWS_VPC, whose containers share 127\.0\.0\.1"):
        XraySidecar(stack, "Agent", task_definition=bridged)
