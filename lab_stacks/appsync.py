"""AWS AppSync: one graph over a table, a function, a relational database and an event bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events_targets as targets

from lab_stacks.section import Section
from lambda_src import bookshop
from lambda_src.event_bus.construct import ArchivedEventBus
from lambda_src.event_rule.construct import EventRule
from lambda_src.function.construct import PythonFunction
from lambda_src.graphql_api.construct import CheckedGraphqlApi
from lambda_src.graphql_api.sources import bus_source, function_source, table_source
from lambda_src.queue import InspectedQueue
from lambda_src.table.construct import OnDemandTable
from lambda_src.user_pool.construct import SignInPool

if TYPE_CHECKING:
    from constructs import Construct

_STRING = dynamodb.AttributeType.STRING


class AppSync(Section):
    """A bookshop's graph."""

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
        quoting = PythonFunction(self, "Quoting", runtime_code=bookshop.FOLDER / "runtime", **operation)
        bus = ArchivedEventBus(self, "Events", **operation)

        # Who may ask: principals of AWS, and people who signed in
        users = SignInPool(self, "Users", groups=["Staff"], posture=self.posture)
        # "Robust, scalable GraphQL interface for application developers"
        api = CheckedGraphqlApi(
            self,
            "Api",
            api_name="Bookshop",
            schema=bookshop.FOLDER / "schema.graphql",
            resolvers=bookshop.FOLDER / "resolvers",
            user_pool=users,
            **operation,
        )
        actions = ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
        books = table_source(api, "Books", table, *(f"dynamodb:{action}" for action in actions), indexes=("byGenre",))
        quotes = function_source(api, "Quotes", quoting)
        events = bus_source(api, "Announcements", bus)
        api.resolvers.add("Query.book", books)
        api.resolvers.add("Query.books", books)
        api.resolvers.add("Book.quote", quotes, max_batch_size=100)
        api.resolvers.add_pipeline("Mutation.createBook", {"putBook": books, "announce": events})
        api.resolvers.add_pipeline("Mutation.updateBook", {"changeBook": books, "announce": events})
        api.resolvers.add_pipeline("Mutation.deleteBook", {"removeBook": books, "announce": events})

        # What other systems hear of every mutation
        heard = InspectedQueue(self, "Heard", posture=self.posture)
        EventRule(
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
        self.output("FunctionName", quoting.function_name)
        self.output("QueueUrl", heard.queue_url)
        self.output("UserPoolId", users.user_pool_id)
        self.output("UserPoolClientId", users.client.user_pool_client_id)
