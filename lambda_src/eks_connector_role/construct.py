"""What the agent of Amazon EKS Connector may do in AWS, from a cluster that runs elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy
from lambda_src.options import checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

_NAME = r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}"


class EksConnectorRole(iam.Role):
    """The role of the EKS Connector's agent: it opens a channel of AWS Systems Manager, and may do nothing else.

    Through that channel the EKS console reads a cluster that does not run in AWS. What a person sees there is decided
    in the cluster, by its role-based access control. Whoever registers a cluster needs permission to pass this role and
    to use ``eks:RegisterCluster`` and ``ssm:CreateActivation``; the first registration of an account needs the
    service-linked role ``AWSServiceRoleForAmazonEKSConnector`` too, which ``lab eks-anywhere connect`` makes if need
    be. That is no resource of a stack, because an account has one of it.

    :param cluster_names: names that clusters may be registered with, 1 to 100 letters, digits, ``-`` and ``_`` each;
        by default any of this account and region.
    :param role_name: physical name; CloudFormation makes one by default.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/connector-iam-role.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster_names: Sequence[str] = (),
        role_name: str | None = None,
    ) -> None:
        """Check the options, then make the role with its one policy."""
        with checked(EksConnectorRole, scope, construct_id) as options:
            for name in cluster_names:
                fits = re.fullmatch(_NAME, name) is not None
                options.require(fits, "cluster_names", name, "1 to 100 letters, digits, - and _, not first of them")
        clusters = [f"arn:{Aws.PARTITION}:eks:{Aws.REGION}:{Aws.ACCOUNT_ID}:cluster/{name}" for name in cluster_names]
        channel = iam.PolicyStatement(
            sid="SsmControlChannel",
            actions=["ssmmessages:CreateControlChannel"],
            resources=clusters or [f"arn:{Aws.PARTITION}:eks:{Aws.REGION}:{Aws.ACCOUNT_ID}:cluster/*"],
        )
        data = iam.PolicyStatement(
            sid="SsmDataplaneOperations",
            actions=[
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            resources=["*"],
        )
        super().__init__(
            scope,
            construct_id,
            role_name=role_name,
            description="Agent of Amazon EKS Connector in a cluster that runs elsewhere",
            assumed_by=iam.ServicePrincipal("ssm.amazonaws.com"),
            inline_policies={"Connect": iam.PolicyDocument(statements=[channel, data])},
        )
        acknowledge_inline_policy(self)
        acknowledge(
            self,
            "AwsSolutions-IAM5[Resource::*]",
            reason="Systems Manager has no resource for the three actions that open a channel and use it: AWS "
            "documents them with every resource.",
        )
        if not cluster_names:
            acknowledge(
                self,
                "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:eks:<AWS::Region>:<AWS::AccountId>:cluster/*]",
                reason="One role serves each cluster that this account registers in this region, unless cluster_names "
                "says which those are.",
            )
