"""The bucket that an application is packaged to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.posture import Posture


def packages_bucket(scope: Construct, posture: Posture) -> s3.Bucket:
    """Make a bucket that keeps every version, that nobody reaches without TLS, and that nobody else may read yet."""
    bucket = s3.Bucket(
        scope,
        "Packages",
        versioned=True,
        enforce_ssl=True,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=posture.removal_policy,
        lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))],
    )
    acknowledge(
        bucket,
        "AwsSolutions-S1",
        "CKV_AWS_18",
        "NIST.800.53.R5-S3BucketLoggingEnabled",
        "HIPAA.Security-S3BucketLoggingEnabled",
        "PCI.DSS.321-S3BucketLoggingEnabled",
        reason="It holds packages that are published to others anyway, named by their contents: AWS CloudTrail "
        "tells who wrote one, and what was read of it is no secret.",
    )
    acknowledge(
        bucket,
        "NIST.800.53.R5-S3BucketReplicationEnabled",
        "HIPAA.Security-S3BucketReplicationEnabled",
        "PCI.DSS.321-S3BucketReplicationEnabled",
        reason="Everything in it can be made again from the sources, and the repository keeps its own copy of "
        "what was published.",
    )
    acknowledge(
        bucket,
        "NIST.800.53.R5-S3DefaultEncryptionKMS",
        "HIPAA.Security-S3DefaultEncryptionKMS",
        "PCI.DSS.321-S3DefaultEncryptionKMS",
        reason="The repository reads the packages as a service of AWS, which a KMS key would have to be opened "
        "for: Amazon S3 encrypts them with a key of its own, and nothing in them is secret.",
    )
    return bucket
