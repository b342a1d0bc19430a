"""AWS AppSync: one graph over a table, a function, a relational database and an event bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events_targets as targets

from lab_stacks.section import Section
from lambda_src import bookshop, data_access, tracing
from lambda_src.aurora_cluster.construct import AuroraCluster
from lambda_src.event_bus.construct import ArchivedEventBus
from lambda_src.event_rule.construct import EventRule
from lambda_src.function.construct import PythonFunction
from lambda_src.graphql_api.construct import CheckedGraphqlApi
from lambda_src.graphql_api.sources import bus_source, database_source, function_source, table_source
from lambda_src.isolated_vpc import isolated_vpc
from lambda_src.migrated_cluster import migrated_cluster
from lambda_src.queue import InspectedQueue
from lambda_src.table.construct import OnDemandTable
from lambda_src.user_pool.construct import SignInPool

if TYPE_CHECKING:
    from constructs import Construct

_ADDRESSES = "10.15.12.0/22"
_STRING = dynamodb.AttributeType.STRING


class AppSync(Section):
    """A bookshop's graph, over a table, two functions, a database of orders and an event bus.

    Context: ``api_name`` (``Bookshop``), ``bookshop_bus`` (``Bookshop``), and ``bookshop_cluster``, the identifier of
    the database's cluster (``bookshop``).
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section: where data is, how it becomes a graph, and who hears of its changes."""
        super().__init__(scope, construct_id, **kwargs)
        operation: dict[str, Any] = {"posture": self.posture, "alarm_topic": self.alarm_topic()}

        # "Combines data from multiple sources, e.g. Dynamo and Lambda"
        table = OnDemandTable(
            self, "Book", partition_key=dynamodb.Attribute(name="id", type=_STRING), posture=self.posture
        )
        table.add_global_secondary_index(
            index_name="byGenre",
            partition_key=dynamodb.Attribute(name="genre", type=_STRING),
            sort_key=dynamodb.Attribute(name="title", type=_STRING),
        )
        code: dict[str, Any] = {"runtime_code": bookshop.FOLDER / "runtime", **operation}
        quoting = PythonFunction(self, "Quoting", handler="quotes.handler", **code)
        cluster = AuroraCluster(
            self,
            "Database",
            cluster_identifier=self.setting("bookshop_cluster", "bookshop"),
            vpc=isolated_vpc(self, addresses=_ADDRESSES, zones=2, posture=self.posture),
            **operation,
        )
        migrated_cluster(cluster, bookshop.FOLDER / "migrations", **operation)
        selling = PythonFunction(
            self,
            "Selling",
            handler="sales.handler",
            shared_code=[tracing.RUNTIME / "tracing", data_access.RUNTIME / "data_access"],
            environment={
                "CLUSTER_ARN": cluster.cluster_arn,
                "SECRET_ARN": cluster.application_secret.secret_arn,
                "DATABASE_NAME": cluster.database_name,
            },
            timeout=Duration.seconds(28),  # a cluster that was paused resumes in 15, and AppSync waits for 30
            **code,
        )
        cluster.grant_data_api(selling)
        bus = ArchivedEventBus(self, "Events", event_bus_name=self.setting("bookshop_bus", "Bookshop"), **operation)

        # Who may ask: principals of AWS, and people who signed in
        users = SignInPool(self, "Users", groups=["Staff"], posture=self.posture)
        # "Robust, scalable GraphQL interface for application developers"
        api = CheckedGraphqlApi(
            self,
            "Api",
            api_name=self.setting("api_name", "Bookshop"),
            schema=bookshop.FOLDER / "schema.graphql",
            resolvers=bookshop.FOLDER / "resolvers",
            environment={"TABLE_NAME": table.table_name},
            user_pool=users,
            **operation,
        )
        actions = ("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem")
        books = table_source(api, "Books", table, *(f"dynamodb:{action}" for action in actions), indexes=("byGenre",))
        quotes = function_source(api, "Quotes", quoting)
        sales = function_source(api, "Sales", selling)
        orders = database_source(api, "Orders", cluster, cluster.application_secret, cluster.database_name)
        events = bus_source(api, "Announcements", bus)
        api.resolvers.add("Query.book", books)
        api.resolvers.add("Query.books", books)
        api.resolvers.add("Book.quote", quotes, max_batch_size=100)
        api.resolvers.add_pipeline("Mutation.createBook", {"putBook": books, "announce": events})
        api.resolvers.add_pipeline("Mutation.updateBook", {"changeBook": books, "announce": events})
        api.resolvers.add_pipeline("Mutation.deleteBook", {"removeBook": books, "announce": events})
        api.resolvers.add("Book.sales", sales, max_batch_size=100)
        api.resolvers.add_pipeline("Query.order", {"readOrder": orders, "findBooks": books})
        placing = {"findBooks": books, "insertOrder": orders, "announce": events}
        api.resolvers.add_pipeline("Mutation.placeOrder", placing)

        # What other systems hear of every mutation
        heard = InspectedQueue(self, "Heard", posture=self.posture)
        announced = EventRule(
            self,
            "Announced",
            event_bus=bus,
            event_pattern={"source": ["bookshop"]},
            targets=[targets.SqsQueue(heard)],
            **operation,
        )

        self.output("ApiId", api.api_id)
        self.output("GraphqlUrl", api.graphql_url)
        self.output("TableName", table.table_name)
        self.output("QuotingFunctionName", quoting.function_name)
        self.output("SellingFunctionName", selling.function_name)
        self.output("QueueUrl", heard.queue_url)
        self.output("DeadLetterQueueUrl", announced.dead_letter_queue.queue_url)
        self.output("BusDeadLetterQueueUrl", bus.dead_letter_queue.queue_url)
        self.output("ClusterArn", cluster.cluster_arn)
        self.output("DatabaseName", cluster.database_name)
        self.output("ApplicationSecretArn", cluster.application_secret.secret_arn)
        self.output("UserPoolId", users.user_pool_id)
        self.output("UserPoolClientId", users.client.user_pool_client_id)
