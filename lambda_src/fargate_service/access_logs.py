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

    CloudFormation deletes no bucket that has anything in it, and nothing but a function that may delete every object
    would empty it: that right is not worth it, so a person empties the bucket, or it waits until the last log is gone.

    :param posture: how long logs are kept, whether one that is deleted or overwritten can be restored for a day, and
        whether the bucket survives its stack.

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
            # With versions, what expires is there for a day more, and then its delete marker.
            versioned=posture.protects_data,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=kept,
                    noncurrent_version_expiration=Duration.days(1) if posture.protects_data else None,
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=posture.removal_policy,
        )
        stack = Stack.of(self)
        load_balancers = stack.format_arn(service="elasticloadbalancing", resource="loadbalancer", resource_name="*")
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AccessLogs",
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects(f"AWSLogs/{stack.account}/*")],
                conditions={"ArnLike": {"aws:SourceArn": load_balancers}},
            )
        )

        self._acknowledge()
        if not posture.protects_data:
            acknowledge(
                self,
                "CKV_AWS_21",
                "NIST.800.53.R5-S3BucketVersioningEnabled",
                "HIPAA.Security-S3BucketVersioningEnabled",
                "PCI.DSS.321-S3BucketVersioningEnabled",
                reason="The posture is LAB, whose bucket has to be empty before its stack can be deleted: versions "
                "would outlast the logs in it. PRODUCTION keeps them.",
            )

    def take_logs_of(self, load_balancer: elbv2.ApplicationLoadBalancer) -> None:
        """Have ``load_balancer`` log every request here."""
        # The CDK's own method has to know the region, for the accounts that wrote logs before there was a principal.
        load_balancer.set_attribute("access_logs.s3.enabled", "true")
        load_balancer.set_attribute("access_logs.s3.bucket", self.bucket_name)
        if self.policy:
            load_balancer.node.add_dependency(self.policy)

    def _acknowledge(self) -> None:
        acknowledge(
            self,
            "AwsSolutions-S1",
            "CKV_AWS_18",
            "NIST.800.53.R5-S3BucketLoggingEnabled",
            "HIPAA.Security-S3BucketLoggingEnabled",
            "PCI.DSS.321-S3BucketLoggingEnabled",
            reason="It is the bucket that access logs go to: a log of who wrote to it would need a bucket too, and so "
            "on. Who reads it is in AWS CloudTrail, where data events are on.",
        )
        acknowledge(
            self,
            "NIST.800.53.R5-S3BucketReplicationEnabled",
            "HIPAA.Security-S3BucketReplicationEnabled",
            "PCI.DSS.321-S3BucketReplicationEnabled",
            reason="Access logs are copies of what has happened, kept in three availability zones and for a limited "
            "time: to lose them loses no data, and a copy in another region would cost as much again.",
        )
        acknowledge(
            self,
            "NIST.800.53.R5-S3DefaultEncryptionKMS",
            "HIPAA.Security-S3DefaultEncryptionKMS",
            "PCI.DSS.321-S3DefaultEncryptionKMS",
            reason="A load balancer writes access logs to a bucket with keys that Amazon S3 manages (SSE-S3), and to "
            "no other: with a KMS key there would be no logs.",
        )
