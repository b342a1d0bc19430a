"""Where a graph's data comes from: each source has a role of its own, for what was named and nothing else.

The CDK's own data sources grant all of a table, every version of a function, every action of a database. Here the
caller names the actions, and they are all that the role may do.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/attaching-a-data-source.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge_inline_policy

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_events as events
    from aws_cdk import aws_rds as rds
    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct

    from lambda_src.function.construct import PythonFunction


def appsync_principal(scope: Construct) -> iam.ServicePrincipal:
    """Name AppSync in this account: an API of somebody else's cannot have it use the role."""
    return iam.ServicePrincipal(
        "appsync.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    )


def table_source(
    api: appsync.GraphqlApi, name: str, table: dynamodb.TableV2, *actions: str, indexes: tuple[str, ...] = ()
) -> appsync.DynamoDbDataSource:
    """Let resolvers use a table.

    :param actions: all that they may do, such as ``dynamodb:GetItem``.
    :param indexes: of the table, which they may query.
    """
    role = _role(api, name)
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[table.table_arn]))
    if indexes:
        of_table = [f"{table.table_arn}/index/{index}" for index in indexes]
        role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:Query"], resources=of_table))
    return appsync.DynamoDbDataSource(api, name, table=table, **_common(api, name, role))


def function_source(api: appsync.GraphqlApi, name: str, function: PythonFunction) -> appsync.LambdaDataSource:
    """Let resolvers invoke a function."""
    role = _role(api, name)
    role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.live.function_arn]))
    return appsync.LambdaDataSource(api, name, lambda_function=function.live, **_common(api, name, role))


def database_source(
    api: appsync.GraphqlApi,
    name: str,
    cluster: rds.IDatabaseCluster,
    secret: secretsmanager.ISecret,
    database_name: str,
) -> appsync.RdsDataSource:
    """Let resolvers use a database by the RDS Data API, with the rights of the database user whom ``secret`` names."""
    role = _role(api, name)
    role.add_to_policy(iam.PolicyStatement(actions=["rds-data:ExecuteStatement"], resources=[cluster.cluster_arn]))
    secret.grant_read(role)
    return appsync.RdsDataSource(
        api,
        name,
        serverless_cluster=cluster,
        secret_store=secret,
        database_name=database_name,
        **_common(api, name, role),
    )


def bus_source(api: appsync.GraphqlApi, name: str, bus: events.IEventBus) -> appsync.EventBridgeDataSource:
    """Let resolvers put events on a bus."""
    role = _role(api, name)
    role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn]))
    return appsync.EventBridgeDataSource(api, name, event_bus=bus, **_common(api, name, role))


def _role(api: appsync.GraphqlApi, name: str) -> iam.Role:
    role = iam.Role(api, f"{name}Role", assumed_by=appsync_principal(api))
    acknowledge_inline_policy(role)
    return role


def _common(api: appsync.GraphqlApi, name: str, role: iam.Role) -> dict[str, Any]:
    # Without policy updates, or the CDK would add what it grants by itself.
    return {
        "api": api,
        "name": name,
        "service_role": role.without_policy_updates(),
        "metrics_config": appsync.DataSourceMetricsConfig.ENABLED,
    }
