"""The cluster's options: what AWS would refuse is refused before it is deployed, all at once; and the defaults."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from lambda_src.aurora_cluster import presets
from lambda_src.aurora_cluster.capacity import Capacity
from lambda_src.aurora_cluster.construct import AuroraCluster
from lambda_src.aurora_cluster.engine import Engine, Feature
from lambda_src.aurora_cluster.instances import Instance, Provisioned, Serverless
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import only, permissions, resources

SERVERLESS = [Serverless()]


def postgres(full: str) -> rds.IClusterEngine:
    version = rds.AuroraPostgresEngineVersion.of(full, full.split(".", maxsplit=1)[0])
    return rds.DatabaseClusterEngine.aurora_postgres(version=version)


def mysql(full: str) -> rds.IClusterEngine:
    return rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.of(full, "8.0"))


@pytest.fixture
def vpc(stack: cdk.Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a", "us-east-1b"],
        isolated_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )


@pytest.fixture
def made(stack: cdk.Stack, vpc: ec2.IVpc):
    """Make a cluster with some options, and return the template."""

    def make(**options: Any) -> dict[str, Any]:
        AuroraCluster(stack, "Database", vpc=vpc, **options)
        template: dict[str, Any] = Template.from_stack(stack).to_json()
        return template

    return make


def problems(stack: cdk.Stack, vpc: ec2.IVpc, **options: Any) -> list[str]:
    with pytest.raises(InvalidOptionsError) as refused:
        AuroraCluster(stack, "Database", vpc=vpc, **options)
    first, *rest = str(refused.value).splitlines()
    assert first == "AuroraCluster Empty/Database:"
    return [line.strip() for line in rest]


@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        (Capacity(8, 4), "capacity.minimum is 8: at most the maximum, 4"),
        (Capacity(-1, 4), "capacity.minimum is -1: 0 to 256 ACUs"),
        (Capacity(0, 256.5), "capacity.maximum is 256.5: 1 to 256 ACUs"),
        (Capacity(0, 0.5), "capacity.maximum is 0.5: 1 to 256 ACUs"),
        (Capacity(0.25, 4), "capacity.minimum is 0.25: ACUs come in steps of 0.5"),
        (Capacity(0, 3.3), "capacity.maximum is 3.3: ACUs come in steps of 0.5"),
        (Capacity(0, 4, auto_pause=Duration.seconds(299)), "capacity.auto_pause is 299 s: 300 to 86,400 s"),
        (Capacity(0, 4, auto_pause=Duration.hours(25)), "capacity.auto_pause is 90,000 s: 300 to 86,400 s"),
        (
            Capacity(0.5, 4, auto_pause=Duration.minutes(5)),
            "capacity.auto_pause is 300 s: nothing pauses with a minimum of 0.5: make it 0, or leave auto_pause out",
        ),
    ],
)
def test_a_capacity_that_does_not_exist_is_refused(
    stack: cdk.Stack, vpc: ec2.IVpc, capacity: Capacity, said: str
) -> None:
    assert problems(stack, vpc, capacity=capacity) == [said]


@pytest.mark.parametrize(
    ("engine", "capacity", "said"),
    [
        (
            postgres("16.2"),
            Capacity(0, 4),
            "capacity.minimum is 0: aurora-postgresql 16.2 lacks it: a minimum of 0 ACUs came with 13.15, 14.12, 15.7, "
            "16.3, and every later version has it",
        ),
        (
            postgres("14.9"),
            Capacity(1, 129),
            "capacity.maximum is 129: aurora-postgresql 14.9 lacks it: a maximum above 128 ACUs came with 13.13, "
            "14.10, 15.5, 16.1, and every later version has it",
        ),
        (
            mysql("8.0.mysql_aurora.3.07.1"),
            Capacity(0, 4),
            "capacity.minimum is 0: aurora-mysql 3.7.1 lacks it: a minimum of 0 ACUs came with 3.8, and every later "
            "version has it",
        ),
    ],
)
def test_a_capacity_that_the_engine_does_not_have_is_refused(
    stack: cdk.Stack, vpc: ec2.IVpc, engine: rds.IClusterEngine, capacity: Capacity, said: str
) -> None:
    assert problems(stack, vpc, engine=engine, capacity=capacity) == [said]


@pytest.mark.parametrize(("engine", "version"), [(postgres("15.2"), "15.2"), (mysql("8.0.mysql_aurora.3.06.0"), "3.6")])
def test_the_data_api_is_refused_on_a_version_without_it(
    stack: cdk.Stack, vpc: ec2.IVpc, engine: rds.IClusterEngine, version: str
) -> None:
    [problem] = problems(stack, vpc, engine=engine, capacity=Capacity(1, 4))

    assert problem.startswith("data_api is True: aurora-")
    assert f" {version}" in problem


def test_a_version_without_the_data_api_does_without(made: Any) -> None:
    template = made(engine=postgres("15.2"), capacity=Capacity(1, 4), data_api=False)

    assert only(template, "AWS::RDS::DBCluster")["EnableHttpEndpoint"] is False


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"instances": []}, "instances is 0: 1 to 16, of which the first is the writer"),
        ({"instances": SERVERLESS * 17}, "instances is 17: 1 to 16, of which the first is the writer"),
        (
            {"instances": [Provisioned(ec2.InstanceType("t4g.medium"))]},
            "instances is t4g.medium: no T class, which the Data API does not support",
        ),
        ({"instances": [*SERVERLESS, Provisioned(promotion_tier=16)]}, "promotion_tier is 16: 0 to 15"),
        (
            {"cluster_identifier": "-Mine"},
            "cluster_identifier is -Mine: up to 63 lower case letters and digits, a letter first, with single hyphens "
            "between them",
        ),
        ({"database_name": "my-app"}, "database_name is my-app: 1 to 63 letters, digits and _, a letter first"),
        ({"application_user": "master"}, "application_user is master: another user than the master user"),
        ({"backup_retention": Duration.days(36)}, "backup_retention is 36 days: 1 to 35 days"),
        (
            {"engine": rds.DatabaseClusterEngine.AURORA_POSTGRESQL},
            "engine is aurora-postgresql of no version: DatabaseClusterEngine.aurora_postgres(version=...) or "
            "aurora_mysql(version=...)",
        ),
    ],
)
def test_what_else_is_impossible_is_refused(
    stack: cdk.Stack, vpc: ec2.IVpc, options: dict[str, Any], said: str
) -> None:
    assert problems(stack, vpc, **options) == [said]


def test_everything_that_is_wrong_is_said_at_once(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    assert problems(
        stack,
        vpc,
        database_name="1",
        backup_retention=Duration.days(0),
        capacity=Capacity(9.3, 4, auto_pause=Duration.minutes(1)),
    ) == [
        "database_name is 1: 1 to 63 letters, digits and _, a letter first",
        "backup_retention is 0 days: 1 to 35 days",
        "capacity.minimum is 9.3: ACUs come in steps of 0.5",
        "capacity.minimum is 9.3: at most the maximum, 4",
        "capacity.auto_pause is 60 s: 300 to 86,400 s",
        "capacity.auto_pause is 60 s: nothing pauses with a minimum of 9.3: make it 0, or leave auto_pause out",
    ]


@pytest.mark.parametrize(
    ("engine", "feature", "has"),
    [
        ("13.14", Feature.AUTO_PAUSE, False),
        ("13.15", Feature.AUTO_PAUSE, True),
        ("16.13-limitless", Feature.AUTO_PAUSE, True),
        ("17.4", Feature.AUTO_PAUSE, True),
        ("12.22", Feature.SERVERLESS, False),
        ("13.10", Feature.DATA_API, False),
        ("13.11", Feature.DATA_API, True),
        ("18.4", Feature.DATA_API, True),
    ],
)
def test_what_a_version_of_postgresql_has(engine: str, feature: Feature, has: bool) -> None:
    assert Engine.of(postgres(engine)).has(feature) is has


@pytest.mark.parametrize(
    ("engine", "version", "has"),
    [
        ("5.7.mysql_aurora.2.11.1", (2, 11, 1), False),
        ("8.0.mysql_aurora.3.07.0", (3, 7, 0), False),
        ("8.0.mysql_aurora.3.08.0", (3, 8, 0), True),
        ("8.0.mysql_aurora.3.10.1", (3, 10, 1), True),
        ("8.4.mysql_aurora.8.4.7", (8, 4, 7), True),
    ],
)
def test_what_a_version_of_mysql_has(engine: str, version: tuple[int, ...], has: bool) -> None:
    read = Engine.of(mysql(engine))

    assert read.version == version
    assert read.has(Feature.AUTO_PAUSE) is has


def test_by_default_one_instance_scales_from_nothing_and_nobody_outside_reaches_it(made: Any) -> None:
    template = made()

    cluster, instance = only(template, "AWS::RDS::DBCluster"), only(template, "AWS::RDS::DBInstance")
    assert cluster["ServerlessV2ScalingConfiguration"] == {
        "MinCapacity": 0,
        "MaxCapacity": 8,
        "SecondsUntilAutoPause": 300,
    }
    assert (cluster["StorageEncrypted"], cluster["EnableHttpEndpoint"], cluster["EnableIAMDatabaseAuthentication"]) == (
        True,
        True,
        True,
    )
    assert instance["DBInstanceClass"] == "db.serverless"
    assert instance["PubliclyAccessible"] is False
    assert only(template, "AWS::RDS::DBClusterParameterGroup")["Parameters"] == {"rds.force_ssl": "1"}
    group = only(template, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["255.255.255.255/32"]


def test_no_password_is_in_the_template(made: Any) -> None:
    cluster = only(made(), "AWS::RDS::DBCluster")

    assert cluster["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cluster


def test_mysql_refuses_connections_without_tls_and_writes_its_logs(made: Any) -> None:
    template = made(engine=mysql("8.0.mysql_aurora.3.10.1"), parameters={"max_connections": "100"})

    cluster = only(template, "AWS::RDS::DBCluster")
    parameters = only(template, "AWS::RDS::DBClusterParameterGroup")["Parameters"]
    assert cluster["Engine"] == "aurora-mysql"
    assert cluster["EnableCloudwatchLogsExports"] == ["audit", "error", "slowquery", "instance"]
    assert parameters["require_secure_transport"] == "ON"
    assert parameters["max_connections"] == "100"


def test_every_log_has_a_group_that_expires_and_that_is_there_first(made: Any) -> None:
    template = made()

    groups = resources(template, "AWS::Logs::LogGroup")
    assert {group["LogGroupName"] for group in groups.values()} == {
        "/aws/rds/cluster/empty-database/postgresql",
        "/aws/rds/cluster/empty-database/instance",
    }
    assert {group["RetentionInDays"] for group in groups.values()} == {7}
    [cluster] = resources(template, "AWS::RDS::DBCluster")
    assert set(groups) <= set(template["Resources"][cluster]["DependsOn"])


def test_instances_of_a_kind_are_in_one_zone_after_the_other(made: Any) -> None:
    template = made(instances=[Serverless(), Serverless(), Serverless(scales_with_writer=False), Provisioned()])

    by_class = sorted(
        (one["DBInstanceClass"], one["PromotionTier"], one["AvailabilityZone"])
        for one in resources(template, "AWS::RDS::DBInstance").values()
    )
    assert by_class == [
        ("db.r7g.large", 1, "us-east-1a"),
        ("db.serverless", 0, "us-east-1a"),
        ("db.serverless", 1, "us-east-1b"),
        ("db.serverless", 2, "us-east-1a"),
    ]


@pytest.mark.parametrize(
    "instances",
    [[Provisioned()], [Serverless(), Provisioned()], [Provisioned(), Serverless()], [Provisioned(), Provisioned()]],
)
def test_an_instance_keeps_its_name_and_zone_whichever_others_there_are(made: Any, instances: list[Instance]) -> None:
    found = resources(made(instances=instances), "AWS::RDS::DBInstance")

    # A logical id is made of the construct's path: another path would be another instance.
    [first] = [one for name, one in found.items() if name.startswith("DatabaseProvisioned1")]
    assert first["AvailabilityZone"] == "us-east-1a"
    assert first["DBInstanceClass"] == "db.r7g.large"


def test_a_cluster_of_provisioned_instances_has_no_capacity(made: Any) -> None:
    template = made(instances=[Provisioned()])

    cluster = only(template, "AWS::RDS::DBCluster")
    assert "ServerlessV2ScalingConfiguration" not in cluster
    assert resources(template, "AWS::CloudWatch::Alarm") == {}


@pytest.mark.parametrize("instances", [[Serverless()], [Provisioned()]])
def test_logs_are_the_same_for_either_kind_so_that_no_swap_makes_a_group_anew(
    made: Any, instances: list[Instance]
) -> None:
    # In production a group outlives its removal, and its name would be taken when it is made again.
    assert only(made(instances=instances), "AWS::RDS::DBCluster")["EnableCloudwatchLogsExports"] == [
        "postgresql",
        "instance",
    ]


def test_an_engine_that_cannot_pause_has_no_log_of_it(made: Any) -> None:
    template = made(engine=postgres("15.2"), capacity=Capacity(1, 4), data_api=False)

    assert only(template, "AWS::RDS::DBCluster")["EnableCloudwatchLogsExports"] == ["postgresql"]


def test_alarms_are_those_of_what_there_is(made: Any) -> None:
    alarms = resources(made(preset=presets.MULTI_TENANT), "AWS::CloudWatch::Alarm").values()

    assert {alarm["MetricName"]: (alarm["Threshold"], alarm["EvaluationPeriods"]) for alarm in alarms} == {
        "ACUUtilization": (90, 3),
        "AuroraReplicaLagMaximum": (1000, 5),
        "ServerlessDatabaseCapacity": (0, 24),
    }


@pytest.mark.parametrize("name", presets.PRESETS)
def test_every_preset_is_possible(made: Any, name: str) -> None:
    preset = presets.PRESETS[name]

    template = made(preset=preset)

    assert len(resources(template, "AWS::RDS::DBInstance")) == len(preset.instances)
    scaling = only(template, "AWS::RDS::DBCluster")["ServerlessV2ScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (preset.capacity.minimum, preset.capacity.maximum)


def test_a_preset_can_be_changed_in_part(made: Any) -> None:
    changed = replace(presets.VARIABLE, capacity=Capacity(2, 64))

    assert only(made(preset=changed), "AWS::RDS::DBCluster")["ServerlessV2ScalingConfiguration"]["MaxCapacity"] == 64


def test_production_protects_the_data_and_keeps_a_snapshot(made: Any) -> None:
    template = made(posture=Posture.PRODUCTION)

    [cluster] = [one for one in template["Resources"].values() if one["Type"] == "AWS::RDS::DBCluster"]
    assert cluster["DeletionPolicy"] == cluster["UpdateReplacePolicy"] == "Snapshot"
    properties = cluster["Properties"]
    assert properties["DeletionProtection"] is True
    assert properties["BackupRetentionPeriod"] == 35
    assert (properties["DatabaseInsightsMode"], properties["PerformanceInsightsRetentionPeriod"]) == ("advanced", 465)


def test_lab_leaves_nothing_behind(made: Any) -> None:
    [cluster] = [one for one in made()["Resources"].values() if one["Type"] == "AWS::RDS::DBCluster"]

    assert cluster["DeletionPolicy"] == "Delete"
    assert cluster["Properties"]["DeletionProtection"] is False
    assert cluster["Properties"]["DatabaseInsightsMode"] == "standard"


def test_in_the_lab_nothing_writes_a_log_group_that_no_stack_owns(made: Any) -> None:
    template = made()

    for instance in resources(template, "AWS::RDS::DBInstance").values():
        assert not instance.keys() & {"MonitoringInterval", "MonitoringRoleArn"}
    assert not only(template, "AWS::RDS::DBCluster").keys() & {"MonitoringInterval", "MonitoringRoleArn"}
    assert "monitoring.rds.amazonaws.com" not in json.dumps(template)


def test_in_production_the_hosts_are_measured_every_minute(made: Any) -> None:
    template = made(posture=Posture.PRODUCTION)

    for instance in resources(template, "AWS::RDS::DBInstance").values():
        assert instance["MonitoringInterval"] == 60
        assert "MonitoringRole" in json.dumps(instance["MonitoringRoleArn"])


def test_one_key_encrypts_storage_secrets_logs_and_insights(stack: cdk.Stack, made: Any) -> None:
    template = made(encryption_key=kms.Key(stack, "Key"))

    [key] = resources(template, "AWS::KMS::Key")
    arn = {"Fn::GetAtt": [key, "Arn"]}
    cluster = only(template, "AWS::RDS::DBCluster")
    assert cluster["KmsKeyId"] == cluster["PerformanceInsightsKmsKeyId"] == arn
    assert cluster["MasterUserSecret"] == {"KmsKeyId": arn}
    assert only(template, "AWS::SecretsManager::Secret")["KmsKeyId"] == arn
    assert all(group["KmsKeyId"] == arn for group in resources(template, "AWS::Logs::LogGroup").values())


def test_a_topic_is_told_of_alarms(stack: cdk.Stack, made: Any) -> None:
    topic = "arn:aws:sns:us-east-1:111122223333:alarms"

    template = made(alarm_topic=sns.Topic.from_topic_arn(stack, "Topic", topic))

    assert all(one["AlarmActions"] == [topic] for one in resources(template, "AWS::CloudWatch::Alarm").values())


def test_who_may_use_the_data_api_has_the_rights_of_the_application_and_not_of_the_master(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    cluster = AuroraCluster(stack, "Database", vpc=vpc)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    cluster.grant_data_api(role)

    template = Template.from_stack(stack).to_json()

    [logical_id] = [name for name in resources(template, "AWS::IAM::Role") if name.startswith("Role")]
    granted = permissions(template, logical_id)
    assert set(granted) == {
        "rds-data:BatchExecuteStatement",
        "rds-data:BeginTransaction",
        "rds-data:CommitTransaction",
        "rds-data:ExecuteStatement",
        "rds-data:RollbackTransaction",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
    }
    assert "ApplicationSecret" in json.dumps(granted["secretsmanager:GetSecretValue"])
    assert "MasterUserSecret" not in json.dumps(granted)


def test_what_makes_the_schema_is_granted_the_master_by_name(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    cluster = AuroraCluster(stack, "Database", vpc=vpc)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    cluster.grant_data_api(role, secret=cluster.master_secret)

    template = Template.from_stack(stack).to_json()

    [logical_id] = [name for name in resources(template, "AWS::IAM::Role") if name.startswith("Role")]
    assert "MasterUserSecret.SecretArn" in json.dumps(permissions(template, logical_id))


def test_of_mysql_nobody_makes_the_applications_user_and_so_a_secret_has_to_be_named(
    stack: cdk.Stack, vpc: ec2.IVpc
) -> None:
    engine = rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.VER_3_10_1)
    cluster = AuroraCluster(stack, "Database", vpc=vpc, engine=engine)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))

    with pytest.raises(ValueError, match=r"^Empty/Database: grant_data_api needs secret=\.\.\. for Aurora MySQL"):
        cluster.grant_data_api(role)
    cluster.grant_data_api(role, secret=cluster.application_secret)

    template = Template.from_stack(stack).to_json()
    [logical_id] = [name for name in resources(template, "AWS::IAM::Role") if name.startswith("Role")]
    assert "ApplicationSecret" in json.dumps(permissions(template, logical_id)["secretsmanager:GetSecretValue"])
