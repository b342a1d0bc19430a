"""Reads a GraphQL schema as AppSync would, and says what is wrong with it, with line and column. Knows no CDK.

Sources: https://docs.aws.amazon.com/appsync/latest/devguide/designing-your-schema.html,
https://docs.aws.amazon.com/appsync/latest/devguide/scalars.html
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    ListTypeNode,
    ListValueNode,
    NamedTypeNode,
    Node,
    NonNullTypeNode,
    ScalarTypeDefinitionNode,
    Source,
    StringValueNode,
    TypeDefinitionNode,
    TypeNode,
    build_ast_schema,
    get_location,
    parse,
    validate_schema,
    visit,
)
from graphql import Visitor as GraphQLVisitor
from graphql.validation.validate import validate_sdl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What AppSync has in every schema without its being declared.
APPSYNC = Path(__file__).with_name("appsync.graphql")


class SchemaError(ValueError):
    """A schema that AppSync would refuse; ``problems`` has each reason, with its line and column."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Schema:
    """A schema that AppSync takes, and what it wants of resolvers.

    :param text: the schema, in the GraphQL schema definition language.
    :param name: of its file, for messages.
    :raises SchemaError: with everything that is wrong, each with line and column.
    """

    def __init__(self, text: str, name: str = "schema.graphql") -> None:
        source = Source(text, name)
        try:
            document = parse(source)
        except GraphQLError as error:
            raise SchemaError([_problem(error.message, source, error)]) from None
        whole = DocumentNode(definitions=(*parse(APPSYNC.read_text()).definitions, *document.definitions))
        errors = validate_sdl(whole) or _refused(document)
        if not errors:
            schema = build_ast_schema(whole, assume_valid_sdl=True)
            errors = [*validate_schema(schema), *_subscriptions(schema)]
        if errors:
            raise SchemaError([_problem(error.message, source, error) for error in errors])
        self._schema = schema

    def problem_of(self, field: str) -> str | None:
        """Say why the field ``Type.name`` cannot have a resolver, if it cannot."""
        fields = list(self._fields())
        if field in fields:
            return None
        guess = get_close_matches(field, fields, n=1)
        return "the schema has no such field" + (f": did you mean {guess[0]}?" if guess else "")

    def without_resolver(self, resolved: Iterable[str]) -> list[str]:
        """Name the fields that nothing answers when just the ``resolved`` ones have a resolver.

        A field of Query or Mutation has no parent that it could be read from. One with arguments would ignore them.
        """
        missing = self.needing_resolver() - set(resolved)
        return [field for field in self._fields() if field in missing]

    def needing_resolver(self) -> set[str]:
        """Name the fields that must have a resolver."""
        entries = {kind.name for kind in (self._schema.query_type, self._schema.mutation_type) if kind}
        subscription = self._schema.subscription_type
        return {
            f"{kind.name}.{name}"
            for kind in self._objects()
            for name, field in kind.fields.items()
            if kind is not subscription and (kind.name in entries or field.args)
        }

    @property
    def directives(self) -> set[str]:
        """Name the directives that it uses."""
        nodes = [
            node
            for kind in self._objects()
            for owner in (kind.ast_node, *(field.ast_node for field in kind.fields.values()))
            if owner
            for node in owner.directives or ()
        ]
        return {node.name.value for node in nodes}

    def _objects(self) -> Iterator[GraphQLObjectType]:
        for kind in self._schema.type_map.values():
            if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
                yield kind

    def _fields(self) -> Iterator[str]:
        for kind in self._objects():
            yield from (f"{kind.name}.{name}" for name in kind.fields)


def _problem(message: str, source: Source, error: GraphQLError) -> str:
    nodes = [node.loc.start for node in error.nodes or () if node.loc]
    position = next(iter(error.positions or nodes), None)
    if position is None:
        return f"{source.name}: {message}"
    place = get_location(source, position)
    return f"{source.name}:{place.line}:{place.column}: {message}"


class _Refused(GraphQLVisitor):
    """Finds what GraphQL has and AppSync has not, and types where they cannot be."""

    def __init__(self, document: DocumentNode) -> None:
        super().__init__()
        self.errors: list[GraphQLError] = []
        kinds = (EnumTypeDefinitionNode, InputObjectTypeDefinitionNode, ScalarTypeDefinitionNode)
        named = [one for one in document.definitions if isinstance(one, TypeDefinitionNode)]
        self._inputs = {one.name.value for one in named if isinstance(one, InputObjectTypeDefinitionNode)}
        self._outputs = {one.name.value for one in named if not isinstance(one, kinds)}

    def enter_scalar_type_definition(self, node: ScalarTypeDefinitionNode, *_: object) -> None:
        """Refuse a scalar of one's own."""
        named = node.name.value
        self._refuse(f"AppSync takes no scalar of your own ({named}): it has ID, AWSDateTime, AWSJSON and others", node)

    def enter_directive_definition(self, node: Node, *_: object) -> None:
        """Refuse a directive of one's own."""
        self._refuse("AppSync takes no directive of your own: it has those of authorization, such as @aws_iam", node)

    def enter_input_value_definition(self, node: InputValueDefinitionNode, *_: object) -> None:
        """Refuse an argument that is of a type for answers."""
        named = _named(node.type)
        if named.name.value in self._outputs:
            self._refuse(
                f"{node.name.value} is given, and {named.name.value} is no input: declare an input type", named
            )

    def enter_field_definition(self, node: FieldDefinitionNode, *_: object) -> None:
        """Refuse an answer that is of a type for arguments."""
        named = _named(node.type)
        if named.name.value in self._inputs:
            self._refuse(f"{node.name.value} is answered, and {named.name.value} is an input: declare a type", named)

    def _refuse(self, message: str, node: Node) -> None:
        self.errors.append(GraphQLError(message, node))


def _refused(document: DocumentNode) -> list[GraphQLError]:
    visitor = _Refused(document)
    visit(document, visitor)
    return visitor.errors


def _named(node: TypeNode) -> NamedTypeNode:
    while isinstance(node, (ListTypeNode, NonNullTypeNode)):
        node = node.type
    assert isinstance(node, NamedTypeNode)  # noqa: S101 - for mypy: there is no fourth kind
    return node


def _subscriptions(schema: GraphQLSchema) -> Iterator[GraphQLError]:
    """A subscription sends what its mutations return, so each must exist and return the same type."""
    mutations = schema.mutation_type.fields if schema.mutation_type else {}
    for name, field in (schema.subscription_type.fields if schema.subscription_type else {}).items():
        for mutation in _mutations(field.ast_node):
            known = mutations.get(mutation.value)
            if known is None:
                guess = get_close_matches(mutation.value, mutations, n=1)
                meant = f", did you mean {guess[0]}?" if guess else ""
                yield GraphQLError(
                    f"{name} waits for the mutation {mutation.value}, which does not exist{meant}", mutation
                )
            elif str(known.type).rstrip("!") != str(field.type).rstrip("!"):
                yield GraphQLError(
                    f"{name} is of type {field.type}, and the mutation {mutation.value} of type {known.type}: "
                    "a subscription sends what its mutation returned",
                    mutation,
                )


def _mutations(field: FieldDefinitionNode | None) -> Iterator[StringValueNode]:
    directives: Iterable[DirectiveNode] = field.directives or () if field else ()
    for directive in directives:
        if directive.name.value == "aws_subscribe":
            for argument in directive.arguments or ():
                values = argument.value.values if isinstance(argument.value, ListValueNode) else (argument.value,)
                yield from (value for value in values if isinstance(value, StringValueNode))
