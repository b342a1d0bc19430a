"""A graph with one field, whose answers are in a table; a role of the same stack may ask for it."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from lambda_src.graphql_api.construct import CheckedGraphqlApi
from lambda_src.graphql_api.sources import table_source
from lambda_src.table.construct import OnDemandTable

GREETINGS = Path(__file__).with_name("greetings")

app = App()
stack = Stack(app, "Greetings")
name = dynamodb.Attribute(name="name", type=dynamodb.AttributeType.STRING)
table = OnDemandTable(stack, "Greeting", partition_key=name)
api = CheckedGraphqlApi(stack, "Api", api_name="Greetings", schema=GREETINGS / "schema.graphql", resolvers=GREETINGS)
api.resolvers.add("Query.greeting", table_source(api, "Table", table, "dynamodb:GetItem"))
reader = iam.Role(stack, "Reader", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
api.grant_query(reader, "greeting")
CfnOutput(stack, "Url", value=api.graphql_url)
app.synth()
