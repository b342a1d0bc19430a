"""Says why a cluster is as it is where a policy would have it otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Annotations
from aws_cdk import aws_rds as rds

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
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
    Annotations.of(cluster).acknowledge_warning(
        "@aws-cdk/aws-rds:instancePerformanceInsightsOverridden",
        "Database Insights are a setting of the cluster, and so of every one of its instances.",
    )
    if not posture.protects_data:
        acknowledge(
            cluster,
            "AwsSolutions-RDS10",
            "NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled",
            "HIPAA.Security-RDSInstanceDeletionProtectionEnabled",
            reason="The posture is LAB, which leaves nothing behind when its stack is deleted: PRODUCTION protects it.",
        )
        _acknowledge_no_monitoring(cluster)


def _acknowledge_no_monitoring(cluster: rds.DatabaseCluster) -> None:
    reason = (
        "The posture is LAB, which leaves nothing behind: Enhanced Monitoring writes the log group RDSOSMetrics of the "
        "account, which no stack owns and none deletes. PRODUCTION has it; Database Insights are on in both."
    )
    acknowledge(
        cluster,
        "NIST.800.53.R5-RDSEnhancedMonitoringEnabled",
        "HIPAA.Security-RDSEnhancedMonitoringEnabled",
        reason=reason,
    )
    for part in cluster.node.find_all():
        if isinstance(part, rds.CfnDBInstance):
            acknowledge(part, "CKV_AWS_118", reason=reason)


def acknowledge_mysql(cluster: rds.DatabaseCluster) -> None:
    """Acknowledge what is asked of Aurora MySQL alone."""
    acknowledge(
        cluster,
        "AwsSolutions-RDS11",
        reason="The port is reached by nobody whom the security group does not let in: another number hides nothing.",
    )
    acknowledge(
        cluster,
        "AwsSolutions-RDS14",
        reason="The cluster is restored to any second of backup_retention into another one, beside it; to turn back "
        "the only one is what Backtrack adds, at a price for each change, and not with every feature of Aurora.",
    )
    acknowledge(
        cluster,
        "NIST.800.53.R5-RDSLoggingEnabled[LogExport::general]",
        "HIPAA.Security-RDSLoggingEnabled[LogExport::general]",
        "PCI.DSS.321-RDSLoggingEnabled[LogExport::general]",
        reason="The general log has every statement with its values, which are people's data: who connects is in the "
        "audit log, and what is slow in the slow query log.",
    )


def acknowledge_secret(secret: secretsmanager.Secret, *, encryption_key: kms.IKey | None) -> None:
    """Acknowledge how the application's secret is kept."""
    acknowledge(
        secret,
        "AwsSolutions-SMG4",
        "NIST.800.53.R5-SecretsManagerRotationEnabled",
        "HIPAA.Security-SecretsManagerRotationEnabled",
        reason="Whoever migrates the schema makes the database user with this password. To replace it there, AWS's "
        "function would need a connection inside the VPC, and from there a way to AWS Secrets Manager, and isolated "
        "subnets have neither. It is 30 characters long and random, and only roles that were named can read it.",
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
