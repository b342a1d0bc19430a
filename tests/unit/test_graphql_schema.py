"""A schema that AppSync would refuse is refused before it is deployed, with line and column."""

from __future__ import annotations

import pytest

from lambda_src import bookshop
from lambda_src.graphql_api.schema import Schema, SchemaError

GOOD = """type Query {
  book(id: ID!): Book
}

type Mutation {
  removeBook(id: ID!): Book
}

type Subscription {
  onBookRemoved: Book @aws_subscribe(mutations: ["removeBook"])
}

type Book @aws_iam {
  id: ID!
  added: AWSDateTime
  price(country: String!): Int
}
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("type Book @aws_iam {", "type Book @aws_iam", "books.graphql:14:3: Syntax Error: Unexpected Name 'id'."),
        ("}\n", "", "books.graphql:4:6: Syntax Error: Expected ':', found Name 'Mutation'."),
        ("book(id: ID!): Book", "book(id: ID!): Bok", "books.graphql:2:18: Unknown type 'Bok'. Did you mean 'Book'?"),
        ("id: ID!\n", "id: ID!\n  id: ID\n", "books.graphql:14:3: Field 'Book.id' can only be defined once."),
        ("@aws_iam", "@aws_iamm", "books.graphql:13:11: Unknown directive '@aws_iamm'."),
        ("type Book", "scalar Isbn\ntype Book", "books.graphql:13:1: AppSync takes no scalar of your own (Isbn)"),
        (
            "type Book",
            "directive @own on OBJECT\ntype Book",
            "books.graphql:13:1: AppSync takes no directive of your own",
        ),
        (
            '["removeBook"]',
            '["removeBok"]',
            "books.graphql:10:50: onBookRemoved waits for the mutation removeBok, which does not exist, "
            "did you mean removeBook?",
        ),
        (
            "onBookRemoved: Book",
            "onBookRemoved: String",
            "books.graphql:10:52: onBookRemoved is of type String, and the mutation removeBook of type Book",
        ),
        (
            "price(country: String!): Int",
            "price(country: Book): Int",
            "books.graphql:16:18: country is given, and Book is no input: declare an input type",
        ),
        (
            "  added: AWSDateTime",
            "  added: [Added!]\n}\n\ninput Added {\n  id: ID\n}\n\ntype Price {",
            "books.graphql:15:11: added is answered, and Added is an input: declare a type",
        ),
    ],
)
def test_what_is_wrong_is_named_with_line_and_column(before: str, after: str, expected: str) -> None:
    text = GOOD.replace(before, after)

    with pytest.raises(SchemaError) as refused:
        Schema(text, "books.graphql")

    assert any(problem.startswith(expected) for problem in refused.value.problems), refused.value.problems


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SchemaError) as refused:
        Schema("type Query { a: Nothing, b: Nowhere }")

    assert len(refused.value.problems) == 2


def test_a_schema_without_queries_is_refused() -> None:
    with pytest.raises(SchemaError, match="Query root type must be provided"):
        Schema("type Book { id: ID! }")


def test_fields_that_nothing_else_can_answer_need_a_resolver() -> None:
    assert Schema(GOOD).needing_resolver() == {"Query.book", "Mutation.removeBook", "Book.price"}
    assert Schema(GOOD).without_resolver(["Query.book", "Book.id"]) == ["Mutation.removeBook", "Book.price"]


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("Query.book", None),
        ("Book.added", None),
        ("Query.bok", "the schema has no such field: did you mean Query.book?"),
        ("Nothing.atAll", "the schema has no such field"),
    ],
)
def test_a_resolver_is_for_a_field_that_exists(field: str, problem: str | None) -> None:
    assert Schema(GOOD).problem_of(field) == problem


def test_the_bookshop_has_a_schema() -> None:
    Schema((bookshop.FOLDER / "schema.graphql").read_text())
