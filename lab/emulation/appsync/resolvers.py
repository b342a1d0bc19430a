"""Runs what answers a field: a resolver, its pipeline of functions, their code, and the sources that they ask.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference-js.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode
from ministack.core import appsync_js
from ministack.services import appsync

from lab.emulation.appsync.sources import SourceError, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLResolveInfo, SelectionSetNode

Resolver = dict[str, Any]


@dataclass
class Call:
    """One field of one object that a resolver answers."""

    resolver: Resolver
    info: GraphQLResolveInfo
    source: Any
    arguments: dict[str, Any]
    stash: dict[str, Any] = field(default_factory=dict)


@dataclass
class Resolvers:
    """Those of one API, as they are run for one request."""

    api_id: str
    variables: dict[str, Any]
    headers: dict[str, str]
    identity: Any
    #: Errors that ended no field.
    appended: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, call: Call) -> Any:
        """Answer one field of one object."""
        if call.resolver.get("kind") == "PIPELINE":
            return self._pipeline(call)
        return self._stage(call, call.resolver, None)[1]

    def _pipeline(self, call: Call) -> Any:
        status, value, _ = self.evaluate(call, call.resolver, "request", None)
        previous = value if status == "earlyReturn" else None
        if status != "earlyReturn":
            for function_id in call.resolver["pipelineConfig"]["functions"]:
                ended, previous = self._stage(call, appsync._functions[self.api_id][function_id], previous)
                if ended:
                    break
        return self.evaluate(call, call.resolver, "response", previous, result=previous)[1]

    def _stage(self, call: Call, unit: Resolver, previous: Any) -> tuple[bool, Any]:
        """Run a resolver, or a function of a pipeline; say whether the pipeline ends with it, and its value."""
        status, asked, skip_to = self.evaluate(call, unit, "request", previous)
        if status == "earlyReturn":
            return skip_to == "END", asked
        result, failed = self._ask(unit, asked)
        status, value, skip_to = self.evaluate(call, unit, "response", previous, result=result, error=failed)
        return status == "earlyReturn" and skip_to == "END", value

    def _ask(self, unit: Resolver, asked: Any) -> tuple[Any, SourceError | None]:
        source = appsync._data_sources[self.api_id][unit["dataSourceName"]]
        try:
            return ask(source, asked if isinstance(asked, dict) else {}), None
        except SourceError as refused:
            return refused.result, refused

    def evaluate(
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
            "identity": self.identity,
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
