"""The chapter's client on EC2: who can reach it, what it can reach, and what is installed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template

from lambda_src.message_sender import construct
from lambda_src.message_sender.construct import SenderInstance
from tests.stacks.synthesis import as_list, only, permissions, resources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aws_cdk import Stack


@pytest.fixture(autouse=True)
def command(runtime_code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client without its dependencies, which take time to install."""
    monkeypatch.setattr(construct, "RUNTIME", runtime_code)


@pytest.fixture
def queue(stack: Stack) -> sqs.Queue:
    return sqs.Queue(stack, "Queue")


def existing_vpc(stack: Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
        public_subnet_ids=["subnet-00000000000000000"],
    )


def user_data(template: Mapping[str, Any]) -> str:
    text = only(template, "AWS::EC2::Instance")["UserData"]["Fn::Base64"]["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{next(iter(part.values()))}>" for part in text)


def test_nobody_reaches_it_but_session_manager(stack: Stack, queue: sqs.Queue) -> None:
    sender = SenderInstance(stack, "Sender", queue=queue)

    template = Template.from_stack(stack)
    instance = only(template.to_json(), "AWS::EC2::Instance")
    [group] = instance["SecurityGroupIds"]
    rules = resources(template.to_json(), "AWS::EC2::SecurityGroup")[group["Fn::GetAtt"][0]]
    assert "SecurityGroupIngress" not in rules
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules["SecurityGroupEgress"]] == [
        ("tcp", 443, 443)
    ]
    assert "KeyName" not in instance
    template.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)
    template.resource_count_is("AWS::EC2::KeyPair", 0)
    assert stack.resolve(sender.instance.instance_id)["Ref"] in resources(template.to_json(), "AWS::EC2::Instance")


def test_it_is_a_small_hardened_amazon_linux_2023(stack: Stack, queue: sqs.Queue) -> None:
    SenderInstance(stack, "Sender", queue=queue)

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::EC2::Instance",
        {
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeSize": 8, "VolumeType": "gp3"}}
            ],
            "EbsOptimized": True,
            "InstanceType": "t4g.micro",
            "MetadataOptions": {"HttpPutResponseHopLimit": 1, "HttpTokens": "required"},
            "Monitoring": True,
        },
    )
    template.has_parameter("*", {"Default": Match.string_like_regexp("/al2023-ami-kernel-[0-9.]+-arm64$")})


def test_its_role_may_send_to_its_queue_and_be_reached(stack: Stack, queue: sqs.Queue) -> None:
    sender = SenderInstance(stack, "Sender", queue=queue)

    role = stack.resolve(sender.role.role_arn)["Fn::GetAtt"][0]
    allowed = permissions(Template.from_stack(stack).to_json(), role)
    assert allowed.pop("s3:GetObject")["Fn::Join"][1][-1].endswith(".zip")
    assert allowed == {
        **dict.fromkeys(["sqs:GetQueueUrl", "sqs:SendMessage"], stack.resolve(queue.queue_arn)),
        **dict.fromkeys(
            [
                "ssm:UpdateInstanceInformation",
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            "*",
        ),
    }


def test_it_may_use_the_key_of_an_encrypted_queue(stack: Stack) -> None:
    key = kms.Key(stack, "Key")

    sender = SenderInstance(stack, "Sender", queue=sqs.Queue(stack, "Queue", encryption_master_key=key))

    role = stack.resolve(sender.role.role_arn)["Fn::GetAtt"][0]
    allowed = permissions(Template.from_stack(stack).to_json(), role)
    assert allowed["kms:GenerateDataKey"] == allowed["kms:Decrypt"] == stack.resolve(key.key_arn)


def test_the_chapters_command_is_installed(stack: Stack, queue: sqs.Queue) -> None:
    SenderInstance(stack, "Sender", queue=queue)

    lines = user_data(Template.from_stack(stack).to_json()).splitlines()
    assert lines[:3] == ["#!/bin/bash", "set -o errexit", "dnf install --assumeyes python3.14"]
    assert lines[-7:] == [
        "python3.14 -m zipfile --extract /opt/message-sender.zip /opt/message-sender",
        "cat > /usr/local/bin/send_message.py <<'END'",
        "#!/bin/sh",
        "export AWS_DEFAULT_REGION=<AWS::Region> PYTHONPATH=/opt/message-sender",
        'exec python3.14 -m runtime.send_message "$@"',
        "END",
        "chmod 755 /usr/local/bin/send_message.py",
    ]


def test_its_network_has_no_way_in_or_out_but_endpoints(stack: Stack, queue: sqs.Queue) -> None:
    SenderInstance(stack, "Sender", queue=queue)

    template = Template.from_stack(stack)
    for kind in ("InternetGateway", "NatGateway", "Route", "EIP"):
        template.resource_count_is(f"AWS::EC2::{kind}", 0)
    endpoints = resources(template.to_json(), "AWS::EC2::VPCEndpoint").values()
    assert sorted(endpoint["ServiceName"]["Fn::Join"][1][-1] for endpoint in endpoints) == [
        ".s3",
        ".sqs",
        ".ssm",
        ".ssmmessages",
    ]
    template.has_resource_properties("AWS::EC2::FlowLog", {"TrafficType": "ALL"})


def test_from_amazon_s3_it_can_read_its_code_and_amazons_packages_alone(stack: Stack, queue: sqs.Queue) -> None:
    SenderInstance(stack, "Sender", queue=queue)

    policies = [
        endpoint["PolicyDocument"]["Statement"]
        for endpoint in resources(Template.from_stack(stack).to_json(), "AWS::EC2::VPCEndpoint").values()
        if endpoint["VpcEndpointType"] == "Gateway"
    ]
    [[statement]] = policies
    assert as_list(statement["Action"]) == ["s3:GetObject"]
    code, packages = ("".join(map(str, resource["Fn::Join"][1])) for resource in statement["Resource"])
    assert code.endswith(".zip")
    assert packages.endswith(":s3:::al2023-repos-{'Ref': 'AWS::Region'}-de612dc2/*")


def test_the_instance_waits_for_all_that_it_needs_to_set_itself_up(stack: Stack, queue: sqs.Queue) -> None:
    SenderInstance(stack, "Sender", queue=queue)

    template = Template.from_stack(stack).to_json()
    [awaited] = [
        set(resource["DependsOn"])
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::EC2::Instance"
    ]
    assert set(resources(template, "AWS::EC2::VPCEndpoint")) <= awaited
    assert sum("Role" in logical_id and "Policy" in template["Resources"][logical_id]["Type"] for logical_id in awaited)


def test_an_existing_vpc_is_taken(stack: Stack, queue: sqs.Queue) -> None:
    vpc = existing_vpc(stack)

    sender = SenderInstance(stack, "Sender", queue=queue, vpc=vpc)

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EC2::Instance", {"SubnetId": "subnet-0123456789abcdef0"})
    template.resource_count_is("AWS::EC2::VPC", 0)
    template.resource_count_is("AWS::EC2::VPCEndpoint", 0)
    assert sender.vpc is vpc


def test_an_instance_type_brings_its_image(stack: Stack, queue: sqs.Queue) -> None:
    SenderInstance(stack, "Sender", queue=queue, instance_type=ec2.InstanceType("t3.micro"))

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EC2::Instance", {"InstanceType": "t3.micro"})
    template.has_parameter("*", {"Default": Match.string_like_regexp("/al2023-ami-kernel-[0-9.]+-x86_64$")})


def test_it_refuses_subnets_without_a_vpc(stack: Stack, queue: sqs.Queue) -> None:
    with pytest.raises(ValueError, match="vpc_subnets is given without vpc: give the vpc too"):
        SenderInstance(stack, "Sender", queue=queue, vpc_subnets=ec2.SubnetSelection())


def test_it_refuses_public_subnets(stack: Stack, queue: sqs.Queue) -> None:
    public = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)

    with pytest.raises(ValueError, match="vpc_subnets is public: private ones, which nobody can reach from outside"):
        SenderInstance(stack, "Sender", queue=queue, vpc=existing_vpc(stack), vpc_subnets=public)
