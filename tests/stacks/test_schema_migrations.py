"""A schema that each deployment brings up to date: what is refused, what the function may do, when it runs again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Template

from lambda_src.aurora_cluster.construct import AuroraCluster
from lambda_src.options import InvalidOptionsError
from lambda_src.schema_migrations.construct import SchemaMigrations

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "sql"
    folder.mkdir()
    (folder / "0001_create.sql").write_text("CREATE TABLE one (id int);")
    return folder


def stack_with(migrations: Path, outdir: Path, *, iam_authentication: bool = True, **options: Any) -> cdk.Stack:
    app = cdk.App(outdir=str(outdir))
    stack = cdk.Stack(app, "Migrated", env=cdk.Environment(account="111122223333", region="us-east-1"))
    vpc = ec2.Vpc(stack, "Vpc", subnet_configuration=[_isolated()])
    cluster = AuroraCluster(stack, "Database", vpc=vpc, iam_authentication=iam_authentication)
    given: dict[str, Any] = {
        "cluster": cluster,
        "master_secret": cluster.master_secret,
        "application_secret": cluster.application_secret,
        "database_name": "app",
        "migrations": migrations,
        **options,
    }
    SchemaMigrations(stack, "Schema", **given)
    return stack


def _isolated() -> ec2.SubnetConfiguration:
    return ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)


def test_everything_that_is_wrong_is_said_at_once(migrations: Path, tmp_path: Path) -> None:
    (migrations / "0003_more.sql").write_text("BEGIN")

    with pytest.raises(InvalidOptionsError) as refused:
        stack_with(
            migrations,
            tmp_path / "out",
            database_name="my-app",
            application_rights=["SELECT", "ALL"],
            iam_database_user="my user",
            timeout=cdk.Duration.seconds(30),
        )
    for part in (
        "SchemaMigrations Migrated/Schema",
        "database_name is my-app: 1 to 63 letters, digits and _, a letter first",
        "iam_database_user is my user: 1 to 63 letters, digits and _, a letter first",
        "application_rights is ALL: some of SELECT, INSERT",
        "timeout is 30 s: 60 to 900 s",
        "migrations 0003_more.sql comes after 0001: there is no 0002",
        "migrations 0003_more.sql: `BEGIN`: each file runs in a transaction",
    ):
        assert part in str(refused.value)


def test_another_engine_is_refused(migrations: Path, tmp_path: Path) -> None:
    stack = cdk.Stack(cdk.App(outdir=str(tmp_path / "out")), "Other")
    cluster = rds.DatabaseCluster.from_database_cluster_attributes(
        stack, "MySql", cluster_identifier="mysql", engine=rds.DatabaseClusterEngine.AURORA_MYSQL
    )
    secret = rds.DatabaseSecret(stack, "Secret", username="application")

    with pytest.raises(InvalidOptionsError, match="cluster is one of aurora-mysql: one of aurora-postgresql"):
        SchemaMigrations(
            stack,
            "Schema",
            cluster=cluster,
            master_secret=secret,
            application_secret=secret,
            database_name="app",
            migrations=migrations,
        )


def test_a_user_with_tokens_of_a_cluster_that_takes_none_is_refused(migrations: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionsError, match="iam_database_user is reports: none, as the cluster has no iam_auth"):
        stack_with(migrations, tmp_path / "out", iam_authentication=False, iam_database_user="reports")


def test_a_user_with_tokens_is_made_when_it_is_named_and_its_role_may_be_that_user_alone(
    migrations: Path, tmp_path: Path
) -> None:
    without = synthesized(migrations, tmp_path / "without")
    stack = stack_with(migrations, tmp_path / "with", iam_database_user="reports")
    role = iam.Role(stack, "Report", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    [cluster] = [one for one in stack.node.find_all() if isinstance(one, AuroraCluster)]
    cluster.grant_connect(role, "reports")
    template = dict(Template.from_stack(stack).to_json())

    assert "IamDatabaseUser" not in only(without, "Custom::SchemaMigrations")[1]["Properties"]
    assert only(template, "Custom::SchemaMigrations")[1]["Properties"]["IamDatabaseUser"] == "reports"
    [environment] = [
        one["Properties"]["Environment"]["Variables"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function" and "CLUSTER_ARN" in json.dumps(one)
    ]
    assert environment.items() >= {"IAM_DATABASE_USER": "reports"}.items()
    [permitted] = [
        statement
        for one in template["Resources"].values()
        if one["Type"] == "AWS::IAM::Policy"
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "rds-db:connect"
    ]
    [_, parts] = permitted["Resource"]["Fn::Join"]
    assert "DBClusterResourceId" in json.dumps(parts)
    assert parts[-1] == "/reports"


def synthesized(migrations: Path, outdir: Path) -> dict[str, Any]:
    stack = stack_with(migrations, outdir)
    return dict(Template.from_stack(stack).to_json())


def only(template: dict[str, Any], kind: str) -> tuple[str, dict[str, Any]]:
    [found] = [(name, one) for name, one in template["Resources"].items() if one["Type"] == kind]
    return found


def test_an_edit_and_a_new_file_run_the_function_again(migrations: Path, tmp_path: Path) -> None:
    before = synthesized(migrations, tmp_path / "before")
    again = synthesized(migrations, tmp_path / "again")
    (migrations / "0002_more.sql").write_text("CREATE TABLE two (id int);")
    after = synthesized(migrations, tmp_path / "after")

    properties = [only(one, "Custom::SchemaMigrations")[1]["Properties"] for one in (before, again, after)]
    assert properties[0] == properties[1] != properties[2]
    assert list(properties[2]["Migrations"]) == ["0001_create.sql", "0002_more.sql"]


def test_the_bundle_holds_the_statements(migrations: Path, tmp_path: Path) -> None:
    synthesized(migrations, tmp_path / "out")

    [held] = (tmp_path / "out").glob("asset.*/migrations/migrations.json")
    assert [one["statements"] for one in json.loads(held.read_text())] == [["CREATE TABLE one (id int)"]]


def test_the_function_runs_after_the_clusters_instances_and_its_permissions(migrations: Path, tmp_path: Path) -> None:
    template = synthesized(migrations, tmp_path / "out")
    _, schema = only(template, "Custom::SchemaMigrations")
    cluster, _ = only(template, "AWS::RDS::DBCluster")
    kinds = {template["Resources"][name]["Type"] for name in schema["DependsOn"]}
    instances = {name for name, one in template["Resources"].items() if one["Type"] == "AWS::RDS::DBInstance"}

    assert instances
    assert instances <= set(schema["DependsOn"])
    assert "AWS::IAM::Policy" in kinds
    # CloudFormation waits for what is referred to: to say so again is cfn-lint's W3005.
    assert f'{{"Ref": "{cluster}"}}' in json.dumps(schema["Properties"])


def test_the_function_may_use_one_cluster_and_two_secrets(migrations: Path, tmp_path: Path) -> None:
    template = synthesized(migrations, tmp_path / "out")
    policies = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]
    statements = [
        statement
        for policy in policies
        if "SchemaFunction" in json.dumps(policy["Roles"])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    granted = {
        action: json.dumps(statement["Resource"])
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }

    assert "cluster:" in granted["rds-data:ExecuteStatement"]
    assert granted["secretsmanager:GetSecretValue"] != '"*"'
    assert [
        action for action, resource in granted.items() if resource == '"*"' and not action.startswith("xray:")
    ] == []
