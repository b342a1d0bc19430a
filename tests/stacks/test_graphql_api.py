"""A graph whose schema and resolvers do not fit each other does not synthesize, nor do options that AppSync lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template

from lambda_src.graphql_api.checks import Cache
from lambda_src.graphql_api.construct import CheckedGraphqlApi
from lambda_src.graphql_api.schema import SchemaError
from lambda_src.graphql_api.sources import table_source
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from lambda_src.table.construct import OnDemandTable
from lambda_src.user_pool.construct import SignInPool
from tests.stacks.synthesis import only, resources

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """type Query {
  book(id: ID!): Book
  books: [Book!]!
}

type Book {
  id: ID!
}
"""
CODE = "export function request(ctx) {\n  return {};\n}\n\nexport function response(ctx) {\n  return ctx.result;\n}\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "functions").mkdir()
    for name in ("Query.book", "Query.books", "functions/first", "functions/second"):
        (tmp_path / f"{name}.js").write_text(CODE)
    (tmp_path / "schema.graphql").write_text(SCHEMA)
    return tmp_path


@pytest.fixture
def given(files: Path) -> dict[str, Any]:
    return {"api_name": "Books", "schema": files / "schema.graphql", "resolvers": files}


def source_of(api: CheckedGraphqlApi, name: str = "Table") -> appsync.DynamoDbDataSource:
    partition_key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    table = OnDemandTable(api.stack, f"{name}Book", partition_key=partition_key)
    return table_source(api, name, table, "dynamodb:GetItem", indexes=("byTitle",))


def template_of(stack: cdk.Stack) -> dict[str, Any]:
    template: dict[str, Any] = dict(Template.from_stack(stack).to_json())
    return template


def complete(api: CheckedGraphqlApi) -> None:
    source = source_of(api)
    api.resolvers.add("Query.book", source)
    api.resolvers.add("Query.books", source)


def test_a_schema_that_does_not_parse_is_refused(stack: cdk.Stack, given: dict[str, Any], files: Path) -> None:
    (files / "schema.graphql").write_text(SCHEMA.replace("ID!): Book", "ID!: Book"))

    with pytest.raises(SchemaError, match=r"schema\.graphql:2:15: Syntax Error"):
        CheckedGraphqlApi(stack, "Api", **given)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"api_name": ""}, "api_name is : 1 to 65,536 characters"),
        ({"api_key_expires": cdk.Duration.hours(1)}, "api_key_expires is 0.0416667 days: 1 to 365 days"),
        (
            {"api_key_expires": cdk.Duration.days(1), "posture": Posture.PRODUCTION},
            "api_key_expires is given in the posture production: whoever has an API key is anybody",
        ),
        ({"query_depth_limit": 76}, "query_depth_limit is 76: 1 to 75 levels"),
        ({"query_depth_limit": 0}, "query_depth_limit is 0: 1 to 75 levels"),
        ({"resolver_count_limit": 10_001}, "resolver_count_limit is 10001: 1 to 10,000 resolvers"),
        ({"cache": Cache(time_to_live=cdk.Duration.hours(2))}, "cache is for 7,200 s: 1 to 3,600 s"),
    ],
)
def test_an_option_outside_its_range_is_refused(
    stack: cdk.Stack, given: dict[str, Any], options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidOptionsError) as refused:
        CheckedGraphqlApi(stack, "Api", **{**given, **options})

    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("field", "options", "problem"),
    [
        ("Query.bok", {}, "field is Query.bok: the schema has no such field: did you mean Query.book?"),
        ("Book.id", {}, r"Book\.id\.js does not exist"),
        ("Query.book", {"max_batch_size": 2001}, "max_batch_size is 2001: 1 to 2,000"),
        ("Query.book", {"max_batch_size": 10}, "only a Lambda function takes batches"),
        ("Query.book", {"cached_for": cdk.Duration.minutes(1)}, "cached_for is 60 s: the API has no cache"),
    ],
)
def test_a_resolver_that_appsync_would_refuse_is_refused(
    stack: cdk.Stack, given: dict[str, Any], field: str, options: dict[str, Any], problem: str
) -> None:
    api = CheckedGraphqlApi(stack, "Api", **given)

    with pytest.raises(InvalidOptionsError, match=problem):
        api.resolvers.add(field, source_of(api), **options)


def test_a_field_has_one_resolver(stack: cdk.Stack, given: dict[str, Any]) -> None:
    api = CheckedGraphqlApi(stack, "Api", **given)
    complete(api)

    with pytest.raises(InvalidOptionsError, match=r"Query\.book: it has a resolver already"):
        api.resolvers.add("Query.book", source_of(api, "Other"))


def test_a_pipeline_has_functions_and_each_one_source(stack: cdk.Stack, given: dict[str, Any]) -> None:
    api = CheckedGraphqlApi(stack, "Api", **given)
    with pytest.raises(InvalidOptionsError, match="functions is 0 of them: 1 to 10"):
        api.resolvers.add_pipeline("Query.book", {})
    api.resolvers.add_pipeline("Query.book", {"first": source_of(api)})

    with pytest.raises(InvalidOptionsError, match="first is given with another source"):
        api.resolvers.add_pipeline("Query.books", {"first": source_of(api, "Other")})


def test_a_field_that_nothing_answers_is_found_when_the_app_is_synthesized(
    stack: cdk.Stack, given: dict[str, Any]
) -> None:
    api = CheckedGraphqlApi(stack, "Api", **given)
    api.resolvers.add("Query.book", source_of(api))

    with pytest.raises(RuntimeError, match=r"Query\.books has no resolver, and nothing else can answer it"):
        template_of(stack)


def test_a_function_of_two_pipelines_is_made_once(stack: cdk.Stack, given: dict[str, Any]) -> None:
    api = CheckedGraphqlApi(stack, "Api", **given)
    source = source_of(api)
    api.resolvers.add_pipeline("Query.book", {"first": source, "second": source})
    api.resolvers.add_pipeline("Query.books", {"second": source})

    assert len(resources(template_of(stack), "AWS::AppSync::FunctionConfiguration")) == 2


def test_a_source_may_do_what_was_named_and_nothing_else(stack: cdk.Stack, given: dict[str, Any]) -> None:
    complete(CheckedGraphqlApi(stack, "Api", **given))
    template = template_of(stack)
    [source] = resources(template, "AWS::AppSync::DataSource").values()
    role = source["ServiceRoleArn"]["Fn::GetAtt"][0]

    statements = [
        (statement["Action"], str(statement["Resource"]))
        for policy in resources(template, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]

    assert [action for action, _ in statements] == ["dynamodb:GetItem", "dynamodb:Query"]
    assert "index/byTitle" in statements[1][1]
    assert not [resource for _, resource in statements if "*" in resource]


def test_a_production_api_hides_its_schema_and_has_limits(stack: cdk.Stack, given: dict[str, Any]) -> None:
    complete(CheckedGraphqlApi(stack, "Api", **given, posture=Posture.PRODUCTION))
    api = only(template_of(stack), "AWS::AppSync::GraphQLApi")

    assert api["IntrospectionConfig"] == "DISABLED"
    assert (api["QueryDepthLimit"], api["ResolverCountLimit"]) == (10, 1000)
    assert api["EnhancedMetricsConfig"]["OperationLevelMetricsConfig"] == "ENABLED"


def test_logs_have_no_contents_and_expire(stack: cdk.Stack, given: dict[str, Any]) -> None:
    api = CheckedGraphqlApi(stack, "Api", **given)
    complete(api)
    template = template_of(stack)

    logged = only(template, "AWS::AppSync::GraphQLApi")["LogConfig"]
    assert logged["ExcludeVerboseContent"] is True
    assert logged["FieldLogLevel"] == "ERROR"
    [group] = resources(template, "AWS::Logs::LogGroup").values()
    assert group["RetentionInDays"] == 7
    assert group["LogGroupName"]["Fn::Join"][1][0] == "/aws/appsync/apis/"
    assert isinstance(api.request_logs, logs.LogGroup)


def test_principals_of_aws_are_let_in_and_nobody_else_by_default(stack: cdk.Stack, given: dict[str, Any]) -> None:
    complete(CheckedGraphqlApi(stack, "Api", **given))
    api = only(template_of(stack), "AWS::AppSync::GraphQLApi")

    assert api["AuthenticationType"] == "AWS_IAM"
    assert "AdditionalAuthenticationProviders" not in api


def test_what_else_was_asked_for_is_there(stack: cdk.Stack, given: dict[str, Any]) -> None:
    api = CheckedGraphqlApi(
        stack,
        "Api",
        **given,
        user_pool=SignInPool(stack, "Users"),
        api_key_expires=cdk.Duration.days(7),
        web_acl_arn="arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1",
        cache=Cache(),
        introspection=False,
    )
    source = source_of(api)
    api.resolvers.add("Query.book", source, cached_for=cdk.Duration.minutes(1))
    api.resolvers.add("Query.books", source)
    template = template_of(stack)

    providers = only(template, "AWS::AppSync::GraphQLApi")["AdditionalAuthenticationProviders"]
    assert [one["AuthenticationType"] for one in providers] == ["AMAZON_COGNITO_USER_POOLS", "API_KEY"]
    cache = only(template, "AWS::AppSync::ApiCache")
    assert cache["ApiCachingBehavior"] == "PER_RESOLVER_CACHING"
    assert cache["AtRestEncryptionEnabled"] is cache["TransitEncryptionEnabled"] is True
    assert only(template, "AWS::WAFv2::WebACLAssociation")
    cached = [one for one in resources(template, "AWS::AppSync::Resolver").values() if "CachingConfig" in one]
    assert [one["FieldName"] for one in cached] == ["book"]


def test_a_pool_refuses_what_cognito_has_not(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidOptionsError) as refused:
        SignInPool(stack, "Users", groups=["The staff"], sign_in_for=cdk.Duration.minutes(5))

    assert "groups is The staff: 1 to 128 characters, none of them a space" in str(refused.value)
    assert "sign_in_for is 0.0833333 hours: 1 hour to 3,650 days" in str(refused.value)


@pytest.mark.parametrize(("posture", "factor"), [(Posture.LAB, "OPTIONAL"), (Posture.PRODUCTION, "ON")])
def test_a_second_factor_is_required_in_production(stack: cdk.Stack, posture: Posture, factor: str) -> None:
    SignInPool(stack, "Users", posture=posture)
    template = template_of(stack)

    assert only(template, "AWS::Cognito::UserPool")["MfaConfiguration"] == factor
    flows = only(template, "AWS::Cognito::UserPoolClient")["ExplicitAuthFlows"]
    assert ("ALLOW_ADMIN_USER_PASSWORD_AUTH" in flows) is (posture is Posture.LAB)
