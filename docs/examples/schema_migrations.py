"""A cluster whose schema each deployment brings up to date, and an application that may read and add, not change."""

from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2

from lambda_src.aurora_cluster.construct import AuroraCluster
from lambda_src.schema_migrations.construct import SchemaMigrations

app = App()
stack = Stack(app, "Shop")
isolated = ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
orders = AuroraCluster(
    stack,
    "Orders",
    vpc=ec2.Vpc(stack, "Vpc", subnet_configuration=[isolated]),
    database_name="orders",
)
SchemaMigrations(
    stack,
    "Schema",
    cluster=orders,
    master_secret=orders.master_secret,
    application_secret=orders.application_secret,
    database_name="orders",
    migrations=Path(__file__).with_name("shop_migrations"),
    application_rights=["SELECT", "INSERT"],
)
app.synth()
