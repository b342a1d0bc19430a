"""The agent on an EC2 instance: how it is installed, where it listens, and what it may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Match, Template

from lambda_src.xray_agent.construct import XrayAgent
from tests.stacks.synthesis import permissions, resources

if TYPE_CHECKING:
    from aws_cdk import Stack

MAY = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]


def made_instance(stack: Stack, vpc: ec2.IVpc, image: ec2.IMachineImage | None = None) -> ec2.Instance:
    return ec2.Instance(
        stack,
        "Instance",
        vpc=vpc,
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=image or ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64),
    )


@pytest.fixture
def vpc(stack: Stack) -> ec2.Vpc:
    subnets = [ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)]
    return ec2.Vpc(stack, "Vpc", max_azs=1, subnet_configuration=subnets, restrict_default_security_group=False)


def test_user_data_installs_it_and_it_listens_to_the_instance_alone(stack: Stack, vpc: ec2.Vpc) -> None:
    instance = made_instance(stack, vpc)
    XrayAgent(stack, "Agent", instance=instance)

    lines = instance.user_data.render().splitlines()
    assert lines[1] == "dnf install --assumeyes amazon-cloudwatch-agent"
    collected = json.loads(lines[3])["traces"]["traces_collected"]
    assert collected == {
        "xray": {"bind_address": "127.0.0.1:2000", "tcp_proxy": {"bind_address": "127.0.0.1:2000"}},
        "otlp": {"grpc_endpoint": "127.0.0.1:4317", "http_endpoint": "127.0.0.1:4318"},
    }
    assert lines[-1].endswith("-a fetch-config -m ec2 -s -c file:/opt/aws/amazon-cloudwatch-agent/etc/traces.json")


def test_the_instances_role_may_send_traces_before_the_agent_starts(stack: Stack, vpc: ec2.Vpc) -> None:
    instance = made_instance(stack, vpc)
    XrayAgent(stack, "Agent", instance=instance)

    template = Template.from_stack(stack).to_json()
    assert permissions(template, stack.resolve(instance.role.role_arn)["Fn::GetAtt"][0]) == dict.fromkeys(MAY, "*")
    [policy] = resources(template, "AWS::IAM::Policy")
    [made] = [one for one in template["Resources"].values() if one["Type"] == "AWS::EC2::Instance"]
    assert policy in made["DependsOn"]


def test_in_an_isolated_vpc_the_instance_alone_reaches_x_ray(stack: Stack, vpc: ec2.Vpc) -> None:
    XrayAgent(stack, "Agent", instance=made_instance(stack, vpc), isolated_vpc=vpc)

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {"ServiceName": {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, ".xray"]]}},
    )
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupIngress",
        {
            "FromPort": 443,
            "ToPort": 443,
            "SourceSecurityGroupId": {"Fn::GetAtt": [Match.string_like_regexp("InstanceSecurityGroup"), "GroupId"]},
        },
    )
    assert not any(
        "SecurityGroupIngress" in group for group in resources(template.to_json(), "AWS::EC2::SecurityGroup").values()
    )


def test_it_refuses_windows(stack: Stack, vpc: ec2.Vpc) -> None:
    windows = made_instance(
        stack, vpc, ec2.MachineImage.latest_windows(ec2.WindowsVersion.WINDOWS_SERVER_2022_ENGLISH_CORE_BASE)
    )

    with pytest.raises(ValueError, match="instance is WINDOWS: one that runs Amazon Linux"):
        XrayAgent(stack, "Agent", instance=windows)
