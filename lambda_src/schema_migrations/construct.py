"""A database's schema, brought up to date by each deployment, and the application's database users."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from lambda_src import custom_resource, data_access, tracing
from lambda_src.function.construct import PythonFunction
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.schema_migrations import RUNTIME, files

if TYPE_CHECKING:
    from collections.abc import Sequence

_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


class SchemaMigrations(Construct):
    """Runs numbered SQL files on a cluster of Aurora PostgreSQL when its stack is deployed, each of them once.

    Each file runs in a transaction of its own, while nobody else changes the schema: it has happened, or has not. What
    ran is kept in the table ``migrations.applied``, with a checksum: a file that was edited afterwards is refused. The
    resource's property ``Migrations`` has the checksums too, by which ``lab up`` refuses it before it deploys anything;
    a folder with ``SHA256SUMS``, as ``shasum -a 256 *.sql`` prints it, has it refused at synthesis already.

    A custom resource does it, and not the ``lab`` command: then ``cdk deploy`` alone brings a schema up to date, on AWS
    as locally, before anything that depends on this is deployed, and a migration that fails fails the deployment.

    The application's database user is made too, with the password of its secret and the rights that it is given here.
    That is who uses the Data API. ``iam_database_user`` is a second one with the same rights, for connections: it logs
    in with a token of IAM, which ``cluster.grant_connect(role, iam_database_user)`` permits, and has no password.

    :param cluster: of Aurora PostgreSQL, with the Data API.
    :param master_secret: of the user who owns the schema.
    :param application_secret: ``username`` and ``password`` of the application's database user.
    :param database_name: which of the cluster's databases.
    :param migrations: a folder of files such as ``0001_create_tables.sql``, numbered from 1 without a gap. No statement
        of theirs may take more than 45 s, which the Data API gives it.
    :param application_rights: of the application's user on every table of the schema ``public``; by default ``SELECT``,
        ``INSERT``, ``UPDATE`` and ``DELETE``. A migration may grant more on tables, and take some back, which stays:
        only a right that comes into this list or leaves it changes on every table. The default privileges of the user
        are this list, whatever a migration makes of them.
    :param iam_database_user: name of the user with tokens of IAM, as ``database_name``; there is none by default. When
        it is left out again, or is another one, the user stays with all rights until a migration drops it: take
        ``grant_connect`` away too.
    :param timeout: of all migrations together, 60 to 900 s; 5 minutes by default. Resuming a cluster takes up to 45 s.
    :param encryption_key: customer managed KMS key for the function's environment and logs; by default keys of AWS's.
    :param posture: how long logs are kept.
    :param alarm_topic: told when a migration fails.
    :raises ValueError: naming every option outside its range, and everything that is wrong with the files.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: rds.IDatabaseCluster,
        master_secret: secretsmanager.ISecret,
        application_secret: secretsmanager.ISecret,
        database_name: str,
        migrations: Path,
        application_rights: Sequence[str] = ("SELECT", "INSERT", "UPDATE", "DELETE"),
        iam_database_user: str | None = None,
        timeout: Duration | None = None,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options and the files, then make the function and have CloudFormation call it."""
        timeout = timeout or Duration.minutes(5)
        folder = files.read(migrations)
        with checked(SchemaMigrations, scope, construct_id) as options:
            engine = cluster.engine.engine_type if cluster.engine else "aurora-postgresql"
            options.require(engine == "aurora-postgresql", "cluster", f"one of {engine}", "one of aurora-postgresql")
            for option, name in (("database_name", database_name), ("iam_database_user", iam_database_user)):
                named = name is None or re.fullmatch(r"[A-Za-z]\w{0,62}", name) is not None
                options.require(named, option, name, "1 to 63 letters, digits and _, a letter first")
            takes_tokens = iam_database_user is None or _takes_tokens(cluster)
            options.require(
                takes_tokens, "iam_database_user", iam_database_user, "none, as the cluster has no iam_authentication"
            )
            for right in application_rights:
                options.require(right in _RIGHTS, "application_rights", right, f"some of {', '.join(_RIGHTS)}")
            options.require(bool(application_rights), "application_rights", "empty", "1 or more")
            seconds = timeout.to_seconds()
            options.require(60 <= seconds <= 900, "timeout", f"{seconds:,} s", "60 to 900 s")
            options.problems += [f"migrations {problem}" for problem in folder.problems]
        super().__init__(scope, construct_id)
        with tempfile.TemporaryDirectory() as made:
            #: Runs the migrations.
            self.function = PythonFunction(
                self,
                "Function",
                runtime_code=RUNTIME,
                shared_code=[
                    tracing.RUNTIME / "tracing",
                    custom_resource.RUNTIME / "custom_resource",
                    data_access.RUNTIME / "data_access",
                    _package(Path(made), folder.migrations),
                ],
                timeout=timeout,
                environment={
                    "CLUSTER_ARN": cluster.cluster_arn,
                    "SECRET_ARN": master_secret.secret_arn,
                    "DATABASE_NAME": database_name,
                    "APPLICATION_SECRET_ARN": application_secret.secret_arn,
                    "APPLICATION_RIGHTS": ",".join(application_rights),
                    **({"IAM_DATABASE_USER": iam_database_user} if iam_database_user else {}),
                },
                encryption_key=encryption_key,
                posture=posture,
                alarm_topic=alarm_topic,
            )
        cluster.grant_data_api_access(self.function)
        for secret in (master_secret, application_secret):
            secret.grant_read(self.function)
        #: What depends on it finds the schema up to date.
        self.resource = CustomResource(
            self,
            "Schema",
            service_token=self.function.function_arn,
            resource_type="Custom::SchemaMigrations",
            # A function that was ended cannot answer; by default CloudFormation waits an hour for it.
            service_timeout=Duration.seconds(timeout.to_seconds() + 60),
            # Whatever changes here has the function run again.
            properties={
                "Migrations": {one.name: one.checksum for one in folder.migrations},
                "Cluster": cluster.cluster_arn,
                "Database": database_name,
                "ApplicationSecret": application_secret.secret_arn,
                "ApplicationRights": list(application_rights),
                **({"IamDatabaseUser": iam_database_user} if iam_database_user else {}),
            },
        )
        # Its instances, without which the cluster answers nothing, and the function's permissions.
        instances = [part for part in cluster.node.find_all() if isinstance(part, rds.CfnDBInstance)]
        self.resource.node.add_dependency(*instances)
        if isinstance(self.function.role, iam.Role):
            self.resource.node.add_dependency(self.function.role)


def _takes_tokens(cluster: rds.IDatabaseCluster) -> bool:
    """Say whether the cluster has authentication by IAM, as far as that is known: of an imported one it is not."""
    made = [part for part in cluster.node.find_all() if isinstance(part, rds.CfnDBCluster)]
    return all(part.enable_iam_database_authentication for part in made)


def _package(folder: Path, migrations: Sequence[files.Migration]) -> Path:
    """Write the package of which the function reads the migrations."""
    package = folder / "migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "migrations.json").write_text(json.dumps([asdict(one) for one in migrations], indent=1))
    return package
