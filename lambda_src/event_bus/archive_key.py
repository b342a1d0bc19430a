"""Encrypts an archive with a customer managed key, as the CDK's own option for it cannot where buses share the key."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

_EVENTBRIDGE = iam.ServicePrincipal("events.amazonaws.com")


def encrypt_archive(archive: events.Archive, key: kms.IKey, *, bus_arn: str) -> None:
    """Name the key to the archive, and let EventBridge use it for events of this bus.

    The CDK would name both statements in the key's policy, by the same names for every archive: a policy with two
    statements of one name is refused.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
    """
    resource = archive.node.default_child
    assert isinstance(resource, events.CfnArchive)  # noqa: S101 - what the L2 is made of
    resource.kms_key_identifier = key.key_arn
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[_EVENTBRIDGE],
            actions=["kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"],
            resources=["*"],  # in a key's own policy, the key
            conditions={"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": bus_arn}},
        )
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(principals=[_EVENTBRIDGE], actions=["kms:DescribeKey"], resources=["*"])
    )
