"""A schema that each deployment brings up to date, and who may read and add, by the Data API or with tokens of IAM."""

from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

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
    iam_database_user="reports",
)
# Of a host in the VPC: it connects as "reports", with what `aws rds generate-db-auth-token` gives it for a password.
host = iam.Role(stack, "ReportHost", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
orders.grant_connect(host, "reports")
app.synth()
