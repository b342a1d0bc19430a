"""The role of hosts outside AWS, which AWS Systems Manager gives its credentials to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.external_cluster.construct import ExternalCluster


class ManagedInstanceRole(iam.Role):
    """Lets the agents on a host outside AWS report, take commands, and register with one cluster of Amazon ECS.

    Systems Manager alone assumes it, and only for managed instances of this account and region. AWS's own policies
    (``AmazonSSMManagedInstanceCore``, ``AmazonEC2ContainerServiceforEC2Role``) let every host read every parameter of
    the account, make clusters and register in any; these statements do not. What an application may do is its task's
    role, and pulling images and writing logs the task's execution role: neither is this one.

    :param cluster: whose container instances the hosts become.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/iam-role-ecsanywhere.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: ExternalCluster) -> None:
        """Make the role and its policy."""
        stack = Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            description="Of hosts outside AWS that run tasks of Amazon ECS",
            # https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-service-role.html
            assumed_by=iam.ServicePrincipal(
                "ssm.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnEquals": {"aws:SourceArn": stack.format_arn(service="ssm", resource="*")},
                },
            ),
        )
        managed_instances = stack.format_arn(service="ssm", resource="managed-instance", resource_name="*")
        self.add_to_policy(
            iam.PolicyStatement(
                sid="ReportToSystemsManager",
                actions=["ssm:ListInstanceAssociations", "ssm:UpdateInstanceInformation"],
                resources=[managed_instances],
            )
        )
        self.add_to_policy(
            iam.PolicyStatement(
                sid="TakeCommands",
                actions=[
                    "ec2messages:AcknowledgeMessage",
                    "ec2messages:DeleteMessage",
                    "ec2messages:FailMessage",
                    "ec2messages:GetEndpoint",
                    "ec2messages:GetMessages",
                    "ec2messages:SendReply",
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ],
                resources=["*"],
            )
        )
        self.add_to_policy(
            iam.PolicyStatement(sid="FindAmazonEcs", actions=["ecs:DiscoverPollEndpoint"], resources=["*"])
        )
        self.add_to_policy(
            iam.PolicyStatement(
                sid="RegisterInCluster",
                actions=[
                    "ecs:DeregisterContainerInstance",
                    "ecs:RegisterContainerInstance",
                    "ecs:SubmitAttachmentStateChanges",
                    "ecs:SubmitContainerStateChange",
                    "ecs:SubmitTaskStateChange",
                ],
                resources=[cluster.cluster_arn],
            )
        )
        self.add_to_policy(
            iam.PolicyStatement(
                sid="TakeTasks",
                actions=["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
                resources=[cluster.container_instances_arn],
            )
        )
        acknowledge(
            self,
            "AwsSolutions-IAM5[Resource::*]",
            reason="The channels of Systems Manager and the address of Amazon ECS are no resources that a policy "
            "could name.",
        )
        acknowledge(
            self,
            f"AwsSolutions-IAM5[Resource::{_as_the_tool_writes(stack, managed_instances)}]",
            f"AwsSolutions-IAM5[Resource::{_as_the_tool_writes(stack, cluster.container_instances_arn)}]",
            reason="A host has neither id before it is registered: these are all hosts of the account, and all "
            "container instances of the one cluster.",
        )
        acknowledge_inline_policy(self)


def _as_the_tool_writes(stack: Stack, arn: str) -> str:
    """Write an ARN with ``<LogicalId>`` for what only CloudFormation knows, as cdk-nag does."""
    [(_, parts)] = stack.resolve(arn).items()
    _, listed = parts
    return "".join(part if isinstance(part, str) else f"<{next(iter(part.values()))}>" for part in listed)
