"""The blocks of the section `aurora`, with every option that a policy might ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from lambda_src.aurora_cluster import presets
from lambda_src.aurora_cluster.capacity import Capacity
from lambda_src.aurora_cluster.construct import AuroraCluster
from lambda_src.aurora_cluster.instances import Provisioned, Serverless
from lambda_src.schema_migrations.construct import SchemaMigrations

_MIGRATIONS = Path(__file__).parents[2] / "docs" / "examples" / "shop_migrations"


def add(stack: cdk.Stack, operation: dict[str, Any]) -> None:
    """Make a cluster of either engine, and migrate the one that can be."""
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "DatabaseVpc",
        vpc_id="vpc-0123456789abcdef1",
        availability_zones=[cdk.Fn.select(number, cdk.Fn.get_azs()) for number in range(2)],
        private_subnet_ids=["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
    )
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    cluster = AuroraCluster(stack, "PostgreSql", preset=presets.MIXED, vpc=vpc, vpc_subnets=subnets, **operation)
    SchemaMigrations(
        stack,
        "Schema",
        cluster=cluster,
        master_secret=cluster.master_secret,
        application_secret=cluster.application_secret,
        database_name="app",
        migrations=_MIGRATIONS,
        application_rights=["SELECT"],
        iam_database_user="reports",
        timeout=cdk.Duration.minutes(15),
        **operation,
    )
    AuroraCluster(
        stack,
        "MySql",
        capacity=Capacity(0.5, 256),
        instances=[Provisioned(ec2.InstanceType("r8g.xlarge"), promotion_tier=0), Serverless()],
        vpc=vpc,
        vpc_subnets=subnets,
        database_name="shop",
        application_user="shop_user",
        data_api=False,
        iam_authentication=True,
        engine=rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.VER_3_10_1),
        parameters={"long_query_time": "1"},
        backup_retention=cdk.Duration.days(14),
        **operation,
    )
