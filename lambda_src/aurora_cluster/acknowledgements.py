"""Says why a cluster is as it is where a policy would have it otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_rds as rds
    from aws_cdk import aws_secretsmanager as secretsmanager

    from lambda_src.posture import Posture


def acknowledge_cluster(cluster: rds.DatabaseCluster, *, posture: Posture) -> None:
    """Acknowledge how the cluster and its instances are backed up, observed and protected."""
    acknowledge(
        cluster,
        "NIST.800.53.R5-RDSInBackupPlan",
        "HIPAA.Security-RDSInBackupPlan",
        reason="Aurora backs the whole cluster up all the time, and restores it to any second of backup_retention. A "
        "plan of AWS Backup, for copies in other accounts, is the account's: it selects clusters by their tags.",
    )
    acknowledge(
        cluster,
        "Annotation::@aws-cdk/aws-rds:instancePerformanceInsightsOverridden",
        reason="Database Insights are a setting of the cluster, and so of every one of its instances.",
    )
    acknowledge(
        cluster,
        "CloudFormation-Validate::W3010",
        reason="The instances are shared out among the zones of the VPC that was given, whose names are known.",
    )
    if not posture.protects_data:
        acknowledge(
            cluster,
            "AwsSolutions-RDS10",
            "NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled",
            "HIPAA.Security-RDSInstanceDeletionProtectionEnabled",
            reason="The posture is LAB, which leaves nothing behind when its stack is deleted: PRODUCTION protects it.",
        )


def acknowledge_secret(secret: secretsmanager.Secret, *, encryption_key: kms.IKey | None) -> None:
    """Acknowledge how the application's secret is kept."""
    acknowledge(
        secret,
        "AwsSolutions-SMG4",
        "NIST.800.53.R5-SecretsManagerRotationEnabled",
        "HIPAA.Security-SecretsManagerRotationEnabled",
        reason="Whoever migrates the schema gives the database user this password, and would have to rotate it there "
        "too: it is read through the Data API alone, by roles that were named, and connections take tokens of IAM.",
    )
    if encryption_key is None:
        acknowledge(
            secret,
            "CKV_AWS_149",
            "NIST.800.53.R5-SecretsManagerUsingKMSKey",
            "HIPAA.Security-SecretsManagerUsingKMSKey",
            "PCI.DSS.321-SecretsManagerUsingKMSKey",
            reason="No encryption_key was given: AWS Secrets Manager encrypts every secret with a key of AWS's own.",
        )
