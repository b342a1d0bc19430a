"""Executes a GraphQL request: fields at once, and what the caller may not read refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLResolveInfo, execute, parse, validate
from ministack.core import appsync_graphql
from ministack.services import appsync

from lab.emulation.appsync.authorization import Caller, caller, unauthorized, with_tokens_read
from lab.emulation.appsync.batches import Batches
from lab.emulation.appsync.resolvers import Call, Resolvers
from lab.emulation.appsync.subscriptions import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphql import DocumentNode, GraphQLSchema

Response = tuple[int, dict[str, str], bytes]


def extend() -> None:
    """Have requests executed here."""
    appsync._execute_with_schema = execute_request
    appsync._request_is_authenticated = with_tokens_read(appsync._request_is_authenticated)


def execute_request(  # noqa: PLR0917 - as MiniStack calls it
    api_id: str,
    sdl: str,
    query: str,
    variables: dict[str, Any],
    operation_name: str | None,
    request_headers: Mapping[str, str],
    authorize: Callable[[str, str], bool] | None = None,
) -> Response:
    """Execute one request of a caller who was authenticated.

    :param authorize: says whether the caller's policies permit a field of Query or Mutation, if they are asked.
    """
    schema = appsync_graphql.build_api_schema(api_id, sdl)
    try:
        document = parse(query)
    except GraphQLError:
        refused: Response = appsync._malformed_graphql_request("Unable to parse GraphQL query.")
        return refused
    headers = {name.lower(): value for name, value in request_headers.items()}
    request = Request(api_id, variables, headers, caller(appsync._apis[api_id], headers), authorize)
    data, told = request.execute(schema, document, operation_name)
    if request.is_denied:
        denied: Response = appsync._unauthorized_response("Permission denied")
        return denied
    for root in request.roots if data else ():
        if root.info.parent_type is schema.mutation_type:
            publish(api_id, root.info.field_name, data[root.info.path.key])
    answered: Response = appsync._json(200, {"data": data, **({"errors": told} if told else {})})
    return answered


@dataclass(frozen=True)
class Root:
    """A field of Query, Mutation or Subscription that was asked for."""

    info: GraphQLResolveInfo
    arguments: dict[str, Any]


@dataclass
class Request:
    """A request, and what came up while it was executed."""

    api_id: str
    variables: dict[str, Any]
    headers: dict[str, str]
    caller: Caller
    authorize: Callable[[str, str], bool] | None
    #: Whether the caller's policies permit each field of Query or Mutation that was asked for.
    permitted: list[bool] = field(default_factory=list)
    roots: list[Root] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._resolvers = Resolvers(self.api_id, self.variables, self.headers, self.caller.identity)
        self._batches = Batches(self._resolvers)

    def execute(
        self, schema: GraphQLSchema, document: DocumentNode, operation_name: str | None
    ) -> tuple[Any, list[dict[str, Any]]]:
        """Validate and execute an operation; return its data, and its errors as AppSync tells them."""
        errors: list[GraphQLError] = list(validate(schema, document))
        data = None
        if not errors:

            async def run() -> Any:
                executed = execute(
                    schema,
                    document,
                    variable_values=self.variables,
                    operation_name=operation_name,
                    field_resolver=self.resolve,
                )
                return await executed if asyncio.iscoroutine(executed) else executed

            result = asyncio.run(run())
            data, errors = result.data, list(result.errors or [])
        return data, [*map(as_told, errors), *self._resolvers.appended]

    @property
    def is_denied(self) -> bool:
        """Say whether the caller's policies permit nothing of what was asked for."""
        return bool(self.permitted) and not any(self.permitted)

    def resolve(self, source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Answer a field: with what its resolver says, or else with what its object has."""
        kind, name = info.parent_type, info.field_name
        if info.path.prev is None:
            self.roots.append(Root(info, arguments))
        self._require_permission(info)
        resolver = appsync._resolvers.get(self.api_id, {}).get(kind.name, {}).get(name)
        if resolver is None:
            return source.get(name) if isinstance(source, dict) else None
        call = Call(resolver, info, source, arguments)
        if resolver.get("maxBatchSize"):
            return self._batches.answer(call)
        return asyncio.to_thread(self._resolvers.answer, call)

    def _require_permission(self, info: GraphQLResolveInfo) -> None:
        kind, name = info.parent_type, info.field_name
        if self.authorize is not None and info.path.prev is None:
            self.permitted.append(self.authorize(kind.name, name))
            if not self.permitted[-1]:
                raise unauthorized(kind.name, name)
        if not self.caller.may_read(kind, name):
            raise unauthorized(kind.name, name)


def as_told(error: GraphQLError) -> dict[str, Any]:
    """Write an error as AppSync does."""
    cause = error.original_error
    told = {
        "message": error.message,
        "path": error.path,
        "locations": [{"line": place.line, "column": place.column} for place in error.locations or []],
        "errorType": getattr(cause, "error_type", None) or (None if cause else "ValidationError"),
        "data": getattr(cause, "data", None),
        "errorInfo": getattr(cause, "error_info", None),
    }
    return {name: value for name, value in told.items() if value is not None}
