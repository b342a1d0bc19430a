"""The bucket that a load balancer writes its access logs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.posture import Posture


class AccessLogBucket(s3.Bucket):
    """A private bucket that Elastic Load Balancing may add objects to; each goes when it is as old as logs get.

    :param posture: how long logs are kept, and whether the bucket survives its stack.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, posture: Posture) -> None:
        """Make the bucket and its policy."""
        kept = Duration.days(365 if posture.protects_data else 7)
        super().__init__(
            scope,
            construct_id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=kept,
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=posture.removal_policy,
        )
        stack = Stack.of(self)
        self._load_balancers = stack.format_arn(
            service="elasticloadbalancing", resource="loadbalancer", resource_name="*"
        )
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AccessLogs",
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects(f"AWSLogs/{stack.account}/*")],
                conditions={"ArnLike": {"aws:SourceArn": self._load_balancers}},
            )
        )

    def take_logs_of(self, load_balancer: elbv2.ApplicationLoadBalancer) -> None:
        """Have ``load_balancer`` log every request here."""
        # The CDK's own method has to know the region, for the accounts that wrote logs before there was a principal.
        load_balancer.set_attribute("access_logs.s3.enabled", "true")
        load_balancer.set_attribute("access_logs.s3.bucket", self.bucket_name)
        if self.policy:
            load_balancer.node.add_dependency(self.policy)
