"""A cluster of Amazon Aurora with its schema: what a section needs that keeps data in tables of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from lambda_src.posture import Posture
from lambda_src.schema_migrations.construct import SchemaMigrations

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    from lambda_src.aurora_cluster.construct import AuroraCluster


def migrated_cluster(
    cluster: AuroraCluster,
    migrations: Path,
    *,
    schema_id: str = "Schema",
    iam_database_user: str | None = None,
    encryption_key: kms.IKey | None = None,
    posture: Posture = Posture.LAB,
    alarm_topic: sns.ITopic | None = None,
) -> AuroraCluster:
    """Make beside a cluster what brings its schema up to date, with the application's database user.

    :param cluster: of Aurora PostgreSQL, with the Data API.
    :param migrations: a folder of numbered SQL files, as of ``SchemaMigrations``.
    :param schema_id: of the construct that runs them; another one for a second cluster in the scope.
    :param iam_database_user: one with the application's rights who logs in with tokens of IAM; none by default.
    :param encryption_key: customer managed KMS key for the function's environment and logs; by default keys of AWS's.
    :param posture: how long logs are kept.
    :param alarm_topic: told when a migration fails.
    :return: the cluster.
    :raises ValueError: as ``SchemaMigrations`` does.
    """
    scope = cluster.node.scope
    assert isinstance(scope, Construct)  # noqa: S101 - for mypy: a cluster is made in one
    SchemaMigrations(
        scope,
        schema_id,
        cluster=cluster,
        master_secret=cluster.master_secret,
        application_secret=cluster.application_secret,
        database_name=cluster.database_name,
        migrations=migrations,
        iam_database_user=iam_database_user,
        encryption_key=encryption_key,
        posture=posture,
        alarm_topic=alarm_topic,
    )
    return cluster
