"""A cluster of Amazon Aurora, whose instances scale on demand, down to nothing, or have a fixed size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Names, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from lambda_src.aurora_cluster import access, alarms, checks
from lambda_src.aurora_cluster.acknowledgements import acknowledge_cluster, acknowledge_mysql
from lambda_src.aurora_cluster.engine import DEFAULT_ENGINE, MYSQL, Engine
from lambda_src.aurora_cluster.insights import insights
from lambda_src.aurora_cluster.instances import Serverless, made
from lambda_src.aurora_cluster.logs import add_log_groups
from lambda_src.aurora_cluster.presets import DEV_AND_TEST
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.subnets import selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Construct

    from lambda_src.aurora_cluster.capacity import Capacity
    from lambda_src.aurora_cluster.instances import Instance
    from lambda_src.aurora_cluster.presets import Preset

_MASTER_USER = "master"


class AuroraCluster(rds.DatabaseCluster):
    """A database on Aurora: encrypted, reached over TLS and from inside its VPC alone, or by the Data API.

    Nobody knows the master user's password: Amazon RDS makes it, keeps it in AWS Secrets Manager and replaces it every
    week. An application has ``application_secret``, the password of a database user that whoever migrates the schema
    makes, with the rights that it needs and no others: of Aurora PostgreSQL that is ``SchemaMigrations``. For Aurora
    MySQL no block does it, and it is yours to make.

    *Scaling*

    :param preset: a use case to start from, with its capacity and its instances; ``DEV_AND_TEST`` by default.
    :param capacity: how far serverless instances scale; the preset's by default.
    :param instances: up to 16, each ``Serverless()`` or ``Provisioned(instance_type)``. The first is made as the
        writer, the others as readers; those of a kind are in one availability zone after the other.

    *Access*

    :param cluster_identifier: physical name, up to 63 lower case letters and digits, with single hyphens between them;
        made of the construct's path by default. It is known before the cluster is made, as its log groups are named by
        it, and so no deployment puts an empty cluster in the place of one that it cannot change.
    :param vpc: where its network interfaces are; it has no public address.
    :param vpc_subnets: in at least two availability zones; isolated ones by default.
    :param database_name: made with the cluster, 1 to 63 letters, digits and ``_``, a letter first.
    :param application_user: name of the application's database user, as ``database_name``; not ``master``.
    :param data_api: SQL over HTTPS, signed with IAM, without a connection; not with classes that are burstable.
    :param iam_authentication: a database user may have a token of IAM for a password: of PostgreSQL one who is a member
        of ``rds_iam``, as the ``iam_database_user`` of ``SchemaMigrations`` is, of MySQL one who is identified with
        ``AWSAuthenticationPlugin``. ``grant_connect(role, user)`` permits it.

    *Engine*

    :param engine: of Aurora, with its version; Aurora PostgreSQL 18.4 by default.
    :param parameters: of the cluster's parameter group, beside the one that refuses connections without TLS.

    *Operation*

    :param encryption_key: customer managed KMS key for storage, secrets, logs and insights; keys of AWS's by default.
    :param backup_retention: how far back the cluster can be restored to any second, 1 to 35 days; a day in the posture
        ``LAB``, and 35 in ``PRODUCTION``.
    :param posture: ``PRODUCTION`` protects from deletion, leaves a snapshot behind when it is deleted nevertheless,
        and has Database Insights in advanced mode, and Enhanced Monitoring.
    :param alarm_topic: told of capacity near the maximum, of pauses that never come, and of readers that lag.
    :raises ValueError: naming every option outside its range, and what the engine's version lacks.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        preset: Preset = DEV_AND_TEST,
        capacity: Capacity | None = None,
        instances: Sequence[Instance] | None = None,
        cluster_identifier: str | None = None,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None = None,
        database_name: str = "app",
        application_user: str = "application",
        data_api: bool = True,
        iam_authentication: bool = True,
        engine: rds.IClusterEngine = DEFAULT_ENGINE,
        parameters: Mapping[str, str] | None = None,
        encryption_key: kms.IKey | None = None,
        backup_retention: Duration | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the cluster, its instances, its logs, the application's secret and alarms."""
        capacity, instances = capacity or preset.capacity, preset.instances if instances is None else instances
        serverless = any(isinstance(instance, Serverless) for instance in instances)
        backup_retention = backup_retention or Duration.days(35 if posture.protects_data else 1)
        subnets = vpc_subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        path = Names.unique_resource_name(scope, max_length=30, separator="-")
        identifier = cluster_identifier or f"{path}-{construct_id[:32]}".lower()
        known = Engine.of(engine)
        with checked(AuroraCluster, scope, construct_id) as options:
            names = {"database_name": database_name, "application_user": application_user}
            checks.check_names(options, cluster_identifier=identifier, master_user=_MASTER_USER, **names)
            checks.check_backup(options, backup_retention.to_days())
            checks.check_scaling(options, instances, capacity, data_api=data_api, engine=known)
        writer, *readers = made(instances, selected(vpc, subnets).availability_zones)
        super().__init__(
            scope,
            construct_id,
            engine=engine,
            cluster_identifier=identifier,
            vpc=vpc,
            vpc_subnets=subnets,
            security_groups=[access.security_group(scope, construct_id, vpc)],
            writer=writer,
            readers=readers,
            serverless_v2_min_capacity=capacity.minimum if serverless else None,
            serverless_v2_max_capacity=capacity.maximum if serverless else None,
            serverless_v2_auto_pause_duration=capacity.auto_pause if serverless else None,
            default_database_name=database_name,
            credentials=rds.Credentials.from_username(_MASTER_USER, encryption_key=encryption_key),
            manage_master_user_password=True,
            enable_data_api=data_api,
            iam_authentication=iam_authentication,
            parameters={**known.parameters, **(parameters or {})},
            storage_encrypted=True,
            storage_encryption_key=encryption_key,
            backup=rds.BackupProps(retention=backup_retention),
            copy_tags_to_snapshot=True,
            cloudwatch_logs_exports=known.logs,
            deletion_protection=posture.protects_data,
            removal_policy=RemovalPolicy.SNAPSHOT if posture.protects_data else RemovalPolicy.DESTROY,
            auto_minor_version_upgrade=True,
            **insights(scope, construct_id, posture=posture, encryption_key=encryption_key),
        )
        add_log_groups(self, known.logs, identifier, posture=posture, encryption_key=encryption_key)
        #: The database that was made with the cluster.
        self.database_name = database_name
        #: The password of the application's database user, with all that a connection needs.
        self.application_secret: secretsmanager.ISecret = access.application_secret(
            self, application_user, encryption_key
        )
        #: Capacity near the maximum, pauses that never come, readers that lag.
        self.alarms: list[cloudwatch.Alarm] = alarms.of_cluster(
            self, scales=serverless, pauses=serverless and capacity.pauses, reads=bool(readers), topic=alarm_topic
        )
        acknowledge_cluster(self, posture=posture)
        self._is_mysql = known.type == MYSQL
        if self._is_mysql:
            acknowledge_mysql(self)

    @property
    def master_secret(self) -> secretsmanager.ISecret:
        """The password of the master user, which Amazon RDS replaces every week: for what makes the schema."""
        secret = self.secret
        assert secret is not None  # noqa: S101 - for mypy: Amazon RDS manages it
        return secret

    def grant_data_api(self, grantee: iam.IGrantable, *, secret: secretsmanager.ISecret | None = None) -> None:
        """Let ``grantee`` run SQL by the Data API, with the rights of the application's database user.

        The CDK's own ``grant_data_api_access`` gives it the master user's password.

        :param secret: of another database user, such as ``master_secret``; to be named for Aurora MySQL, where no block
            makes the application's user: ``application_secret`` once your own migrations have.
        :raises ValueError: for a cluster of Aurora MySQL without ``secret``.
        """
        if secret is None and self._is_mysql:
            raise ValueError(
                f"{self.node.path}: grant_data_api needs secret=... for Aurora MySQL, where nobody makes the "
                "application's user: make it with application_secret, and name that, or name another user's."
            )
        access.grant_data_api(self, grantee, secret or self.application_secret)
