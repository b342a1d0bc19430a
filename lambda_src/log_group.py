"""A log group as every block makes it: it expires, and says with whose key it is encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.posture import Posture


def log_group(
    scope: Construct,
    construct_id: str,
    *,
    posture: Posture,
    encryption_key: kms.IKey | None = None,
    log_group_name: str | None = None,
) -> logs.LogGroup:
    """Make a log group that keeps its logs for as long as ``posture`` says.

    :param encryption_key: customer managed KMS key, whose policy lets CloudWatch Logs use it: of a key that this app
        makes the policy is amended here. By default CloudWatch Logs encrypts with a key of its own, at no cost.
    :param log_group_name: physical name, where an AWS service writes to a group that it names itself.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    group = logs.LogGroup(
        scope,
        construct_id,
        log_group_name=log_group_name,
        retention=posture.log_retention,
        removal_policy=posture.removal_policy,
        encryption_key=encryption_key,
    )
    if encryption_key:
        stack = Stack.of(scope)
        # Any log group of the account: naming this one would make group and key wait for each other.
        groups = stack.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        encryption_key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                resources=["*"],  # in a key's own policy, the key
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )
    else:
        acknowledge(
            group,
            "CKV_AWS_158",
            "NIST.800.53.R5-CloudWatchLogGroupEncrypted",
            "HIPAA.Security-CloudWatchLogGroupEncrypted",
            "PCI.DSS.321-CloudWatchLogGroupEncrypted",
            reason="No encryption_key was given: CloudWatch Logs encrypts every log group with a key of its own.",
        )
    return group
