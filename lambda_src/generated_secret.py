"""A secret that AWS Secrets Manager makes up, and that nobody has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from constructs import Construct


class GeneratedSecret(secretsmanager.Secret):
    """48 letters and digits, made when the stack is deployed, in no template and in no log.

    :param description: what it is for.
    :param not_rotated: why it is not rotated, a reason that a security reviewer would accept.
    :param encryption_key: customer managed KMS key; by default a key of AWS's.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudformation.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        not_rotated: str,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        """Make the secret."""
        super().__init__(
            scope,
            construct_id,
            description=description,
            encryption_key=encryption_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=48, exclude_punctuation=True),
        )
        acknowledge(
            self,
            "AwsSolutions-SMG4",
            "NIST.800.53.R5-SecretsManagerRotationEnabled",
            "HIPAA.Security-SecretsManagerRotationEnabled",
            reason=not_rotated,
        )
        if encryption_key is None:
            acknowledge(
                self,
                "CKV_AWS_149",
                "NIST.800.53.R5-SecretsManagerUsingKMSKey",
                "HIPAA.Security-SecretsManagerUsingKMSKey",
                "PCI.DSS.321-SecretsManagerUsingKMSKey",
                reason="No encryption_key was given: AWS Secrets Manager encrypts with its own key of the account, and "
                "who may read this one secret is a matter of IAM.",
            )
