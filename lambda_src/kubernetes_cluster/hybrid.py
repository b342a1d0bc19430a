"""Nodes outside AWS: machines of your own that join a cluster whose control plane AWS keeps."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy


def add_hybrid_nodes(cluster: eks.Cluster) -> iam.Role:
    """Make the role that hybrid nodes have by AWS Systems Manager, and let it join ``cluster``.

    It may not deregister managed instances, which ``nodeadm uninstall`` would try: a node that was broken into could
    then end all the others. Whoever removes a node does that with rights of their own.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/hybrid-nodes-creds.html
    """
    stack = Stack.of(cluster)
    here = {
        "StringEquals": {"aws:SourceAccount": stack.account},
        "ArnEquals": {
            "aws:SourceArn": stack.format_arn(service="ssm", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME)
        },
    }
    role = iam.Role(
        cluster,
        "HybridNodeRole",
        assumed_by=iam.PrincipalWithConditions(iam.ServicePrincipal("ssm.amazonaws.com"), here),
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name(name)
            for name in ("AmazonSSMManagedInstanceCore", "AmazonEC2ContainerRegistryPullOnly")
        ],
    )
    role.add_to_policy(iam.PolicyStatement(actions=["eks:DescribeCluster"], resources=[cluster.cluster_arn]))
    acknowledge_inline_policy(role)
    acknowledge(
        role,
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]",
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly]",
        reason="AWS asks for these two policies on the role of hybrid nodes, and changes them when its agents change.",
    )
    cluster.grant_access("HybridNodes", role.role_arn, [], access_entry_type=eks.AccessEntryType.HYBRID_LINUX)
    return role
