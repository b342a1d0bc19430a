"""Executes a GraphQL request: fields at once, batches of a list's fields, and what the caller may not read refused.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference-js.html
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    InlineFragmentNode,
    execute,
    parse,
    validate,
)
from ministack.core import appsync_graphql, appsync_js
from ministack.services import appsync

from lab.emulation.appsync.authorization import Caller, caller, unauthorized, with_tokens_read
from lab.emulation.appsync.sources import SourceError, ask, invoke
from lab.emulation.appsync.subscriptions import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from graphql import DocumentNode, GraphQLSchema, SelectionSetNode

Resolver = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]
_LARGEST_BATCH = 2000


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
class Call:
    """One field of one object that a resolver answers."""

    resolver: Resolver
    info: GraphQLResolveInfo
    source: Any
    arguments: dict[str, Any]
    stash: dict[str, Any] = field(default_factory=dict)


@dataclass
class Request:
    """A request, and what came up while it was executed."""

    api_id: str
    variables: dict[str, Any]
    headers: dict[str, str]
    caller: Caller
    authorize: Callable[[str, str], bool] | None
    #: Errors that ended no field.
    appended: list[dict[str, Any]] = field(default_factory=list)
    #: Whether the caller's policies permit each field of Query or Mutation that was asked for.
    permitted: list[bool] = field(default_factory=list)
    roots: list[Root] = field(default_factory=list)
    _waiting: dict[int, list[tuple[Call, asyncio.Future[Any]]]] = field(default_factory=dict)

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
        return data, [*map(as_told, errors), *self.appended]

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
            return self._in_a_batch(call)
        return asyncio.to_thread(self._answer, call)

    def _require_permission(self, info: GraphQLResolveInfo) -> None:
        kind, name = info.parent_type, info.field_name
        if self.authorize is not None and info.path.prev is None:
            self.permitted.append(self.authorize(kind.name, name))
            if not self.permitted[-1]:
                raise unauthorized(kind.name, name)
        if not self.caller.may_read(kind, name):
            raise unauthorized(kind.name, name)

    def _answer(self, call: Call) -> Any:
        if call.resolver.get("kind") == "PIPELINE":
            return self._pipeline(call)
        return self._stage(call, call.resolver, None)[1]

    def _pipeline(self, call: Call) -> Any:
        status, value, _ = self._evaluate(call, call.resolver, "request", None)
        previous = value if status == "earlyReturn" else None
        if status != "earlyReturn":
            for function_id in call.resolver["pipelineConfig"]["functions"]:
                ended, previous = self._stage(call, appsync._functions[self.api_id][function_id], previous)
                if ended:
                    break
        return self._evaluate(call, call.resolver, "response", previous, result=previous)[1]

    def _stage(self, call: Call, unit: Resolver, previous: Any) -> tuple[bool, Any]:
        """Run a resolver, or a function of a pipeline; say whether the pipeline ends with it, and its value."""
        status, asked, skip_to = self._evaluate(call, unit, "request", previous)
        if status == "earlyReturn":
            return skip_to == "END", asked
        result, failed = self._ask(unit, asked)
        status, value, skip_to = self._evaluate(call, unit, "response", previous, result=result, error=failed)
        return status == "earlyReturn" and skip_to == "END", value

    def _ask(self, unit: Resolver, asked: Any) -> tuple[Any, SourceError | None]:
        source = appsync._data_sources[self.api_id][unit["dataSourceName"]]
        try:
            return ask(source, asked if isinstance(asked, dict) else {}), None
        except SourceError as refused:
            return refused.result, refused

    async def _in_a_batch(self, call: Call) -> Any:
        """Wait until every object of the list has asked, then be answered with the others."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting.setdefault(id(call.resolver), [])
        answer: asyncio.Future[Any] = loop.create_future()
        waiting.append((call, answer))
        if len(waiting) == 1:
            loop.call_soon(lambda: asyncio.ensure_future(self._answer_waiting(call.resolver)))
        return await answer

    async def _answer_waiting(self, resolver: Resolver) -> None:
        waiting = self._waiting.pop(id(resolver))
        answers = await asyncio.to_thread(self._batch, resolver, [call for call, _ in waiting])
        for (_, future), answer in zip(waiting, answers, strict=True):
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _batch(self, resolver: Resolver, calls: list[Call]) -> list[Any]:
        """Answer calls of one resolver, each with a value or an exception."""
        answers: list[Any] = [None] * len(calls)
        asking: list[tuple[int, Any]] = []
        for number, call in enumerate(calls):
            try:
                status, asked, _ = self._evaluate(call, resolver, "request", None)
            except appsync._AppSyncResolverError as refused:
                answers[number] = refused
                continue
            if status == "earlyReturn":
                answers[number] = asked
            else:
                asking.append((number, asked))
        size = min(int(resolver["maxBatchSize"]), _LARGEST_BATCH)
        for start in range(0, len(asking), size):
            chunk = asking[start : start + size]
            for (number, _), (result, error) in zip(
                chunk, self._invoke(resolver, [one for _, one in chunk]), strict=True
            ):
                try:
                    answers[number] = self._evaluate(
                        calls[number], resolver, "response", None, result=result, error=error
                    )[1]
                except appsync._AppSyncResolverError as refused:
                    answers[number] = refused
        return answers

    def _invoke(self, resolver: Resolver, asked: list[Any]) -> list[tuple[Any, SourceError | None]]:
        source = appsync._data_sources[self.api_id][resolver["dataSourceName"]]
        try:
            results = invoke(source, [one.get("payload") for one in asked])
            if not isinstance(results, list) or len(results) != len(asked):
                raise SourceError(
                    f"A batch of {len(asked)} was not answered with a list of {len(asked)}", "Lambda:IllegalArgument"
                )
        except SourceError as failed:
            return [(None, failed)] * len(asked)
        return [(result, None) for result in results]

    def _evaluate(
        self,
        call: Call,
        unit: Resolver,
        handler: str,
        previous: Any,
        *,
        result: Any = None,
        error: SourceError | None = None,
    ) -> tuple[str, Any, str | None]:
        """Run ``request`` or ``response`` of a unit's code; return how it ended, its value, and where it skips to."""
        context = {
            "arguments": call.arguments,
            "args": call.arguments,
            "identity": self.caller.identity,
            "source": call.source,
            "stash": call.stash,
            "prev": {"result": previous},
            "result": result,
            "request": {"headers": self.headers},
            "env": appsync._apis[self.api_id].get("environmentVariables") or {},
            "info": {
                "fieldName": call.info.field_name,
                "parentTypeName": call.info.parent_type.name,
                "variables": self.variables,
                "selectionSetList": list(_selected(call.info)),
            },
            **({"error": {"message": str(error), "type": error.kind}} if error else {}),
        }
        try:
            status, value, appended, stash, skip_to = appsync_js.evaluate(unit["code"], handler, context)
        except appsync_js.AppSyncJsError as failed:
            raise appsync._AppSyncResolverError(
                str(failed), failed.error_type, failed.data, failed.error_info
            ) from failed
        call.stash = stash
        self.appended += [{"path": call.info.path.as_list(), **one} for one in appended]
        return status, value, skip_to


def _selected(info: GraphQLResolveInfo) -> Iterator[str]:
    """Name what the request wants of a field's answer, and of what is in it: ``items``, ``items/id``."""

    def below(selections: SelectionSetNode | None, prefix: str) -> Iterator[str]:
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                yield f"{prefix}{name}"
                yield from below(selection.selection_set, f"{prefix}{name}/")
            elif isinstance(selection, InlineFragmentNode):
                yield from below(selection.selection_set, prefix)
            elif isinstance(selection, FragmentSpreadNode):
                yield from below(info.fragments[selection.name.value].selection_set, prefix)

    for node in info.field_nodes:
        yield from below(node.selection_set, "")


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
