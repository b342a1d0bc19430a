"""Who gets to a cluster: from the network nobody, by the Data API whom IAM permits, as a database user of a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_src.aurora_cluster.acknowledgements import acknowledge_secret

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

_DATA_API = [
    "rds-data:BatchExecuteStatement",
    "rds-data:BeginTransaction",
    "rds-data:CommitTransaction",
    "rds-data:ExecuteStatement",
    "rds-data:RollbackTransaction",
]


def security_group(scope: Construct, construct_id: str, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """Make the group of the cluster's network interfaces, which lets nobody in.

    :param scope: what the cluster is made in, and so the group.
    :param construct_id: of the cluster; the group's begins with it.
    :param vpc: where the cluster is.
    """
    return ec2.SecurityGroup(
        scope,
        f"{construct_id}SecurityGroup",
        vpc=vpc,
        allow_all_outbound=False,
        description="Database cluster: connections from what it is told to let in",
    )


def application_secret(
    cluster: rds.DatabaseCluster, user: str, encryption_key: kms.IKey | None
) -> secretsmanager.ISecret:
    """Make the password of the application's database user, with all that a connection needs.

    :param cluster: which the user is of; the secret is made in it, and attached to it.
    :param user: the user's name in the database.
    :param encryption_key: customer managed KMS key for the secret; AWS's own by default.
    """
    secret = rds.DatabaseSecret(cluster, "ApplicationSecret", username=user, encryption_key=encryption_key)
    acknowledge_secret(secret, encryption_key=encryption_key)
    return secret.attach(cluster)


def grant_data_api(cluster: rds.DatabaseCluster, grantee: iam.IGrantable, secret: secretsmanager.ISecret) -> None:
    """Let ``grantee`` run SQL as the user of ``secret``.

    :param cluster: with the Data API.
    :param grantee: who calls the Data API.
    :param secret: ``username`` and ``password`` of a database user, which ``grantee`` may read then.
    """
    iam.Grant.add_to_principal(grantee=grantee, actions=_DATA_API, resource_arns=[cluster.cluster_arn])
    secret.grant_read(grantee)
