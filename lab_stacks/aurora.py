"""Auto scaling databases on demand with Amazon Aurora: serverless, provisioned, and from the one to the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ec2 as ec2

from lab_stacks.names import known
from lab_stacks.section import Section
from lambda_src.aurora_cluster.construct import AuroraCluster
from lambda_src.aurora_cluster.instances import Instance, Provisioned
from lambda_src.aurora_cluster.presets import PRESETS
from lambda_src.isolated_vpc import isolated_vpc
from lambda_src.migrated_cluster import migrated_cluster
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

#: Numbered SQL files.
MIGRATIONS = Path(__file__).with_name("aurora_migrations")
_ADDRESSES = "10.15.8.0/22"
_ZONES = 2
#: Logs in with a token of IAM, where the application's own user has a password for the Data API.
_IAM_DATABASE_USER = "application_iam"


class Aurora(Section):
    """A cluster whose instances scale by themselves, in a VPC from which nothing can be reached.

    Context: ``preset``, a use case of the chapter to start from (``dev-and-test``, and ``variable`` in the posture
    ``production``); ``instances``, which are ``serverless`` or ``provisioned``, or for as long as one kind takes the
    place of the other ``serverless,provisioned``; ``instance_class`` (``r7g.large``) of provisioned ones; and
    ``cluster_identifier`` (``serverless-lab``).
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section, in the order in which the chapter tells it."""
        super().__init__(scope, construct_id, **kwargs)

        # Popular use cases; minimum and maximum of ACUs
        usual = "variable" if self.posture is Posture.PRODUCTION else "dev-and-test"
        preset = PRESETS[self.choice("preset", usual, *(name for name in PRESETS if name != usual))]
        # Aurora provisioned, Aurora serverless; six copies of data across three zones, and instances in several
        cluster = AuroraCluster(
            self,
            "Database",
            preset=preset,
            instances=self._instances(preset.instances),
            cluster_identifier=self.setting("cluster_identifier", "serverless-lab"),
            vpc=isolated_vpc(self, addresses=_ADDRESSES, zones=_ZONES, posture=self.posture),
            posture=self.posture,
            alarm_topic=self.alarm_topic(),
        )
        # Its schema is brought up to date too, with the application's database users, who are not the master
        operation: dict[str, Any] = {"posture": self.posture, "alarm_topic": self.alarm_topic()}
        migrated_cluster(cluster, MIGRATIONS, iam_database_user=_IAM_DATABASE_USER, **operation)

        self.output("ClusterArn", cluster.cluster_arn)
        self.output("ClusterIdentifier", cluster.cluster_identifier)
        self.output("DatabaseName", cluster.database_name)
        self.output("MasterSecretArn", cluster.master_secret.secret_arn)
        self.output("ApplicationSecretArn", cluster.application_secret.secret_arn)
        self.output("IamDatabaseUser", _IAM_DATABASE_USER)
        self.keep_settings()

    def _instances(self, preset: Sequence[Instance]) -> list[Instance]:
        """Make the preset's instances of the kinds that context names, the writer's first."""
        provisioned = Provisioned(ec2.InstanceType(self.setting("instance_class", "r7g.large")))
        of_kind: dict[str, list[Instance]] = {"serverless": [*preset], "provisioned": [provisioned for _ in preset]}
        kinds = self.setting("instances", "serverless").split(",")
        return [instance for kind in dict.fromkeys(kinds) for instance in of_kind[known("kind", kind, of_kind)]]
