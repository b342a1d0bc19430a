"""The pods of some namespaces, each on a machine of its own that AWS keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack, Token
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy
from lambda_src.log_group import log_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2

    from lambda_src.posture import Posture

#: Where CoreDNS and the other add-ons are.
SYSTEM = "kube-system"


class FargatePods(Construct):
    """A Fargate profile, the role that starts its pods, and a log group for what they print.

    Fluent Bit, which AWS runs beside every pod, takes the log group from the config map ``aws-logging`` of the
    namespace ``aws-observability``.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/fargate-profile.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: eks.Cluster,
        subnets: ec2.SubnetSelection,
        namespaces: Sequence[str],
        posture: Posture,
    ) -> None:
        """Make the role, the log group and the profile."""
        super().__init__(scope, construct_id)
        #: What the pods print.
        self.logs = log_group(self, "Logs", posture=posture)
        self.pod_execution_role = self._pod_execution_role(cluster)
        self.logs.grant_write(self.pod_execution_role)
        self.profile = eks.FargateProfile(
            self,
            "Profile",
            cluster=cluster,
            selectors=[eks.Selector(namespace=name) for name in dict.fromkeys([*namespaces, SYSTEM])],
            pod_execution_role=self.pod_execution_role,
            vpc=cluster.vpc,
            subnet_selection=subnets,
        )

    def _pod_execution_role(self, cluster: eks.Cluster) -> iam.Role:
        profiles = Stack.of(self).format_arn(
            service="eks",
            resource="fargateprofile",
            resource_name=f"{cluster.cluster_name}/*",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        role = iam.Role(
            self,
            "PodExecutionRole",
            assumed_by=iam.PrincipalWithConditions(
                iam.ServicePrincipal("eks-fargate-pods.amazonaws.com"), {"ArnLike": {"aws:SourceArn": profiles}}
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"])
        )  # knows no other
        stack = Stack.of(self)
        # As the tool writes what only CloudFormation knows.
        partition = "<AWS::Partition>" if Token.is_unresolved(stack.partition) else stack.partition
        region = "<AWS::Region>" if Token.is_unresolved(stack.region) else stack.region
        images = stack.format_arn(service="ecr", account="*", resource="repository", resource_name="*")
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                resources=[images],
            )
        )
        acknowledge_inline_policy(role)
        acknowledge(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            f"AwsSolutions-IAM5[Resource::arn:{partition}:ecr:{region}:*:repository/*]",
            reason="The role pulls whatever images the pods of the cluster name, which only Kubernetes knows; the "
            "token of a registry has no resource. It is what AmazonEKSFargatePodExecutionRolePolicy permits.",
        )
        return role
