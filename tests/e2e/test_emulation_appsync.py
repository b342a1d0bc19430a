"""What is added to the emulator for AppSync: it answers, and refuses, as AWS does."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest

from lab.bookshop.signing import SignedRequests
from lab.project import ROOT
from lambda_src import bookshop
from lambda_src.graphql_api.modules import bundled

from .graphql_apis import APPSYNC, JS, Api, made, policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Emulated

RESOLVERS = bookshop.FOLDER / "resolvers"
BOOK = {"id": "1", "title": "Emma", "genre": "novel", "version": 3, "cents": 1200}
TABLE = {"TABLE_NAME": "Book"}
LINES = [{"bookId": "1", "quantity": 2}]
ROWS = json.dumps(
    {
        "sqlStatementResults": [
            {
                "columnMetadata": [{"name": "id"}, {"name": "placedAt"}],
                "records": [[{"stringValue": "o1"}, {"stringValue": "2026-01-31T12:00:00.000Z"}]],
            }
        ]
    }
)


def error(kind: str, message: str = "it failed: table Book-1A2B3C") -> dict[str, Any]:
    return {"error": {"type": kind, "message": message}}


# What each handler makes of a context: a part of its value, or the message of its error.
HANDLERS: list[tuple[str, str, dict[str, Any], Any]] = [
    (
        "Query.book",
        "request",
        {"args": {"id": "1"}},
        {"operation": "GetItem", "key": {"id": "1"}, "consistentRead": True},
    ),
    ("Query.book", "response", {"result": BOOK}, BOOK),
    ("Query.book", "response", error("DynamoDB:InternalServerError"), "The request could not be answered."),
    ("Query.book", "response", error("DynamoDB:ThrottlingException"), "The service is busy: try again in a moment."),
    ("Query.books", "request", {"args": {"genre": "novel"}}, {"index": "byGenre", "limit": 20}),
    ("Query.books", "request", {"args": {"genre": "novel", "limit": 101}}, "limit must be 1 to 100."),
    ("Query.books", "response", {"result": {"items": [BOOK], "nextToken": "t", "scannedCount": 9}}, {"nextToken": "t"}),
    ("Book.quote", "request", {"source": BOOK, "args": {"country": "DE"}}, {"operation": "BatchInvoke"}),
    ("Book.quote", "response", {"result": {"unknown": "XX"}}, "The shop does not deliver to XX."),
    ("Book.sales", "request", {"source": BOOK}, {"operation": "BatchInvoke", "payload": "1"}),
    ("Book.sales", "response", error("Lambda:Unhandled"), "The request could not be answered."),
    ("Book.sales", "response", {"result": {"waking": True}}, "The database is waking up: try again in 15 seconds."),
    ("Mutation.createBook", "request", {"args": {"input": {"title": " "}}}, "title must have 1 to 200 characters."),
    ("Mutation.createBook", "request", {"args": {"input": {"cost": -1}}}, "cost must be 0 to 100000000."),
    ("Mutation.createBook", "response", {"prev": {"result": BOOK}}, BOOK),
    (
        "Mutation.updateBook",
        "request",
        {"args": {"input": {"title": 201 * "x"}}},
        "title must have 1 to 200 characters.",
    ),
    ("Mutation.updateBook", "response", {"prev": {"result": BOOK}}, BOOK),
    ("Mutation.deleteBook", "response", {"prev": {"result": BOOK}}, BOOK),
    ("Mutation.placeOrder", "request", {"args": {"input": {"lines": []}}}, "An order has 1 to 50 lines."),
    (
        "Mutation.placeOrder",
        "request",
        {"args": {"input": {"lines": [*LINES, *LINES]}}},
        "An order has each book once.",
    ),
    (
        "Mutation.placeOrder",
        "request",
        {"args": {"input": {"lines": [{"bookId": "1", "quantity": 101}]}}},
        "A line has 1 to 100 copies.",
    ),
    ("Mutation.placeOrder", "response", {"stash": {"order": {"lines": LINES}, "books": {"1": BOOK}}}, {}),
    ("Query.order", "response", {}, None),
    (
        "functions/putBook",
        "request",
        {"args": {"input": {"title": "Emma", "cents": 1}}, "stash": {"id": "1"}},
        {"operation": "PutItem", "key": {"id": "1"}, "condition": {"id": {"attributeExists": False}}},
    ),
    ("functions/putBook", "response", {"result": BOOK}, BOOK),
    (
        "functions/putBook",
        "response",
        error("DynamoDB:ConditionalCheckFailedException"),
        "There is a book with this id already.",
    ),
    (
        "functions/changeBook",
        "request",
        {"args": {"input": {"id": "1", "expectedVersion": 3, "cents": 5}}},
        {"operation": "UpdateItem", "condition": {"version": {"eq": 3}}},
    ),
    (
        "functions/changeBook",
        "response",
        {**error("DynamoDB:ConditionalCheckFailedException"), "result": BOOK},
        "The book is at version 3: read it again, then change that.",
    ),
    ("functions/removeBook", "request", {"args": {"id": "1", "expectedVersion": 3}}, {"operation": "DeleteItem"}),
    (
        "functions/removeBook",
        "response",
        error("DynamoDB:ConditionalCheckFailedException"),
        "There is no book with this id.",
    ),
    (
        "functions/findBooks",
        "request",
        {"stash": {"ids": ["1"]}, "env": TABLE, "info": {"parentTypeName": "Mutation", "selectionSetList": []}},
        {"operation": "BatchGetItem", "tables": {"Book": {"keys": [{"id": {"S": "1"}}], "consistentRead": True}}},
    ),
    *(
        (
            "functions/findBooks",
            "request",
            {"stash": {"ids": ["1"]}, "env": TABLE, "info": {"parentTypeName": "Query", "selectionSetList": selected}},
            expected,
        )
        for selected, expected in (
            (["id", "customer", "customer/name", "lines", "lines/quantity"], None),
            (["__typename", "lines", "lines/__typename"], None),
            (["lines", "lines/book", "lines/book/title"], {"operation": "BatchGetItem"}),
            (["lines", "lines/b", "lines/b/title"], {"operation": "BatchGetItem"}),
            (["l", "l/quantity", "l/quantity/title"], {"operation": "BatchGetItem"}),
        )
    ),
    (
        "functions/findBooks",
        "response",
        {
            "stash": {"ids": ["1"]},
            "env": TABLE,
            "info": {"parentTypeName": "Mutation"},
            "result": {"data": {"Book": [None]}},
        },
        "The shop does not have: 1.",
    ),
    (
        "functions/insertOrder",
        "request",
        {
            "args": {"input": {"name": "Ada", "email": "ada@example.com", "lines": LINES}},
            "stash": {"books": {"1": BOOK}},
        },
        {
            "variableMap": {
                ":P0": "ada@example.com",
                ":P1": "Ada",
                ":P2": '[{"bookId":"1","quantity":2,"cents":1200}]',
            }
        },
    ),
    ("functions/insertOrder", "response", {"result": ROWS, "args": {"input": {"name": "Ada", "email": "a"}}}, None),
    (
        "functions/insertOrder",
        "response",
        error("400 Bad Request", 'ERROR: duplicate key "one_line_each"; SQLState: 23505'),
        "This is no order, and no id of one.",
    ),
    ("functions/readOrder", "request", {"args": {"id": "o1"}}, {"variableMap": {":P0": "o1"}}),
    (
        "functions/readOrder",
        "response",
        error("400 Bad Request", "The Aurora DB instance is resuming after being auto-paused."),
        "The database is waking up: try again in 15 seconds.",
    ),
    (
        "functions/announce",
        "request",
        {"stash": {"event": "BookCreated", "detail": {"id": "1"}}},
        {"events": [{"source": "bookshop", "detailType": "BookCreated", "detail": {"id": "1"}}]},
    ),
    ("functions/announce", "response", {**error("EventBridge:InternalException"), "prev": {"result": BOOK}}, BOOK),
]
# What JavaScript has and AppSync has not.
UNSUPPORTED = {
    "try": "export function request(ctx) { try { return {}; } catch (error) { return null; } }",
    "throw": "export function request(ctx) { throw 'x'; }",
    "async": "export async function request(ctx) { return {}; }",
    "for": "export function request(ctx) { for (let i = 0; i < 3; i++) { ctx.stash.i = i; } return {}; }",
    "while": "export function request(ctx) { while (ctx.stash.more) { ctx.stash.more = false; } return {}; }",
    "class": "class Book {}\nexport function request(ctx) { return {}; }",
    "new": "export function request(ctx) { return new Date(); }",
    "this": "export function request(ctx) { return this; }",
    "regex": "export function request(ctx) { return /a+/; }",
    "generator": "export function* request(ctx) { return {}; }",
    "in": "export function request(ctx) { return 'id' in ctx.args; }",
    "syntax": "export function request(ctx) { return {;",
}


@dataclass(frozen=True)
class Bookshop(Api):
    """A part of the bookshop: its schema, and the query of a book with its table, role and code."""

    role: str
    pool_id: str

    def ask(self, query: str, auth: httpx.Auth | None = None) -> httpx.Response:
        with httpx.Client(auth=auth or SignedRequests(self.emulated.session), trust_env=False, timeout=35) as http:
            return http.post(self.url, json={"query": query})

    def evaluate(self, code: str, function: str, context: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.appsync.evaluate_code(
            runtime=JS, code=code, function=function, context=json.dumps(context)
        )
        return answer


@pytest.fixture(scope="module")
def shop(emulated: Emulated) -> Iterator[Bookshop]:
    """Make it by the services' APIs, in a second: the runbook's test deploys all of it."""
    dynamodb, iam = emulated.client("dynamodb"), emulated.client("iam")
    dynamodb.create_table(
        TableName=TABLE["TABLE_NAME"],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    role = iam.create_role(RoleName="Books", AssumeRolePolicyDocument=policy("sts:AssumeRole", Principal=APPSYNC))
    iam.put_role_policy(RoleName="Books", PolicyName="get", PolicyDocument=policy("dynamodb:GetItem", Resource="*"))
    pool_id = emulated.client("cognito-idp").create_user_pool(PoolName="Bookshop")["UserPool"]["Id"]
    with made(
        emulated, (bookshop.FOLDER / "schema.graphql").read_text(), authentication="AWS_IAM", pool_id=pool_id
    ) as api:
        api.add_source(
            "Books",
            type="AMAZON_DYNAMODB",
            serviceRoleArn=role["Role"]["Arn"],
            dynamodbConfig={"tableName": TABLE["TABLE_NAME"], "awsRegion": emulated.session.region_name},
        )
        api.add_resolver("Query.book", "Books", bundled(RESOLVERS / "Query.book.js"))
        yield Bookshop(emulated, api.api_id, "Books", pool_id)
    dynamodb.delete_table(TableName=TABLE["TABLE_NAME"])
    iam.delete_role_policy(RoleName="Books", PolicyName="get")
    iam.delete_role(RoleName="Books")


@pytest.mark.parametrize(
    ("name", "function", "context", "expected"),
    HANDLERS,
    ids=[f"{name}-{function}-{number}" for number, (name, function, *_) in enumerate(HANDLERS)],
)
def test_a_handler_makes_of_a_context_what_it_should(
    shop: Bookshop, name: str, function: str, context: dict[str, Any], expected: Any
) -> None:
    code = bundled(RESOLVERS / f"{name}.js")

    answer = shop.evaluate(code, function, {"stash": {}, **context})

    if isinstance(expected, str):
        assert answer["error"]["message"] == expected
    else:
        assert "error" not in answer, answer
        value = json.loads(answer["evaluationResult"])
        if isinstance(expected, dict):
            assert {key: value[key] for key in expected} == expected
        else:
            assert value == expected


def test_every_handler_that_does_something_is_evaluated() -> None:
    files = [*RESOLVERS.glob("*.js"), *RESOLVERS.glob("functions/*.js")]
    resolvers = {
        str(file.relative_to(RESOLVERS).with_suffix("")) for file in files if "request(ctx)" in file.read_text()
    }

    assert {name for name, *_ in HANDLERS} == resolvers


def test_a_source_that_fails_is_an_error_that_tells_nothing_of_it(shop: Bookshop) -> None:
    iam, name = shop.emulated.client("iam"), "get"
    document = iam.get_role_policy(RoleName=shop.role, PolicyName=name)["PolicyDocument"]
    query = '{ book(id: "1") { title } }'
    assert "errors" not in shop.ask(query).json()

    iam.delete_role_policy(RoleName=shop.role, PolicyName=name)
    try:
        answered = shop.ask(query).json()
    finally:
        iam.put_role_policy(RoleName=shop.role, PolicyName=name, PolicyDocument=json.dumps(document))

    [refused] = answered["errors"]
    assert (refused["errorType"], refused["message"]) == ("InternalError", "The request could not be answered.")
    assert TABLE["TABLE_NAME"] not in json.dumps(answered)


def test_a_token_that_is_of_no_user_of_the_pool_is_refused(shop: Bookshop) -> None:
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{shop.pool_id}"
    claims = {"sub": "1", "username": "nobody", "iss": issuer, "exp": time.time() + 60, "cognito:groups": ["Staff"]}
    parts = [{"alg": "none"}, claims, {}]
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)

    class Forged(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            request.headers["Authorization"] = token
            yield request

    answer = shop.ask('{ book(id: "1") { title } }', Forged())

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["errorType"] == "UnauthorizedException"


def test_a_wrong_signature_is_refused(shop: Bookshop) -> None:
    stranger = boto3.Session(aws_access_key_id="AKIANOBODY", aws_secret_access_key="x", region_name="us-east-1")

    answer = shop.ask('{ book(id: "1") { title } }', SignedRequests(stranger))

    assert answer.status_code == 403


def test_a_query_that_the_schema_does_not_have_is_a_validation_error(shop: Bookshop) -> None:
    answered = shop.ask('{ book(id: "1") { titel } }').json()

    assert answered["data"] is None
    assert answered["errors"][0]["errorType"] == "ValidationError"
    assert answered["errors"][0]["locations"] == [{"line": 1, "column": 19}]


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_javascript_that_appsync_does_not_run_is_refused(shop: Bookshop, kind: str) -> None:
    answer = shop.evaluate(UNSUPPORTED[kind], "request", {})

    assert answer["error"]["message"] == "The code contains one or more errors."
    assert answer["error"]["codeErrors"], answer


def test_a_function_whose_code_appsync_does_not_run_is_not_made(shop: Bookshop) -> None:
    appsync = shop.appsync
    made_of = {"apiId": shop.api_id, "dataSourceName": "Books", "runtime": JS}
    appsync.create_function(name="good", code=bundled(ROOT / "docs/examples/greetings/Query.greeting.js"), **made_of)

    with pytest.raises(appsync.exceptions.BadRequestException, match="The code contains one or more errors"):
        appsync.create_function(name="bad", code=UNSUPPORTED["try"], **made_of)
