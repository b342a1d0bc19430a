"""A cluster of Amazon Aurora with its schema: what a section needs that keeps data in tables of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_src.aurora_cluster.construct import AuroraCluster
from lambda_src.posture import Posture
from lambda_src.schema_migrations.construct import SchemaMigrations

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns
    from constructs import Construct


def migrated_cluster(
    scope: Construct,
    construct_id: str,
    *,
    migrations: Path,
    schema_id: str = "Schema",
    encryption_key: kms.IKey | None = None,
    posture: Posture = Posture.LAB,
    alarm_topic: sns.ITopic | None = None,
    **cluster_options: Any,
) -> AuroraCluster:
    """Make a cluster, and beside it what brings its schema up to date, with the application's database user.

    :param migrations: a folder of numbered SQL files, as of ``SchemaMigrations``.
    :param schema_id: of the construct that runs them; another one for a second cluster in the scope.
    :param encryption_key: of both.
    :param posture: of both.
    :param alarm_topic: of both.
    :param cluster_options: the other options of ``AuroraCluster``.
    :raises ValueError: as the two blocks do.
    """
    operation: dict[str, Any] = {"encryption_key": encryption_key, "posture": posture, "alarm_topic": alarm_topic}
    cluster = AuroraCluster(scope, construct_id, **cluster_options, **operation)
    SchemaMigrations(
        scope,
        schema_id,
        cluster=cluster,
        master_secret=cluster.master_secret,
        application_secret=cluster.application_secret,
        database_name=cluster.database_name,
        migrations=migrations,
        **operation,
    )
    return cluster
