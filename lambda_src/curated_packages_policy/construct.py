"""Who may pull the curated packages of Amazon EKS Anywhere, which need an Enterprise subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge
from lambda_src.curated_packages_policy.registries import ACCOUNTS
from lambda_src.options import checked

if TYPE_CHECKING:
    from constructs import Construct


class CuratedPackagesPolicy(iam.ManagedPolicy):
    """Permission to read the curated packages from the registry of one region, and nothing else.

    Attach it to the user or role whose credentials a cluster gets as ``EKSA_AWS_ACCESS_KEY_ID`` and
    ``EKSA_AWS_SECRET_ACCESS_KEY``, with ``region`` as its ``EKSA_AWS_REGION``. The policy makes nobody a customer:
    curated packages need an EKS Anywhere Enterprise subscription, and without one the registry refuses.

    :param region: where the subscription was bought, such as ``us-west-2``.
    :raises ValueError: for a region that sells none.

    Source: https://anywhere.eks.amazonaws.com/docs/packages/prereq/
    """

    def __init__(self, scope: Construct, construct_id: str, *, region: str) -> None:
        """Check the region, then make the policy."""
        with checked(CuratedPackagesPolicy, scope, construct_id) as options:
            options.require(region in ACCOUNTS, "region", region, f"one of {', '.join(sorted(ACCOUNTS))}")
        #: The registry of the packages, as ``docker login`` and the cluster's packages controller name it.
        self.registry: str = f"{ACCOUNTS[region]}.dkr.ecr.{region}.{Aws.URL_SUFFIX}"
        repositories = f"arn:{Aws.PARTITION}:ecr:{region}:{ACCOUNTS[region]}:repository/*"
        super().__init__(
            scope,
            construct_id,
            description="Pull the curated packages of EKS Anywhere, which need an Enterprise subscription",
            statements=[
                iam.PolicyStatement(
                    sid="Pull",
                    actions=[
                        "ecr:BatchCheckLayerAvailability",
                        "ecr:BatchGetImage",
                        "ecr:DescribeImages",
                        "ecr:DescribeRepositories",
                        "ecr:GetDownloadUrlForLayer",
                        "ecr:ListImages",
                    ],
                    resources=[repositories],
                ),
                iam.PolicyStatement(sid="LogIn", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
            ],
        )
        acknowledge(
            self,
            "AwsSolutions-IAM5[Resource::*]",
            reason="A token to log in to Amazon ECR is for the whole registry, and its action has no resource.",
        )
        acknowledge(
            self,
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecr:{region}:{ACCOUNTS[region]}:repository/*]",
            reason="The registry is AWS's, and every repository in it is one of the curated packages: which ones a "
            "cluster installs is decided there.",
        )
