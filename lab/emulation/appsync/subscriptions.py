"""Who listens to which mutations, and with which arguments: a mutation's answer is sent to those whom it concerns.

A subscription's arguments are compared with the fields at the top of what the mutation answered, which is what its
caller selected: a field that was not selected is null. An argument that is null wants null; one that is not written in
the subscription wants nothing. A variable that is written and not given counts as null, as people report of AWS.

Sources: https://docs.aws.amazon.com/appsync/latest/devguide/aws-appsync-real-time-data.html,
https://github.com/aws/aws-appsync-community/issues/94
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import value_from_ast_untyped

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLResolveInfo

Arguments = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Subscription:
    """A field of Subscription that somebody listens to.

    :param wanted: arguments, and what they want the mutation's answer to have.
    :param hear: is given the answer of every mutation that it concerns.
    """

    api_id: str
    mutations: frozenset[str]
    wanted: Arguments
    hear: Callable[[Any], None]

    def concerns(self, api_id: str, mutation: str, answer: Any) -> bool:
        """Say whether the answer of a mutation is to be sent."""
        fields = answer if isinstance(answer, dict) else {}
        return (
            api_id == self.api_id
            and mutation in self.mutations
            and all(fields.get(name) == value for name, value in self.wanted.items())
        )


_active: set[Subscription] = set()
_changing = threading.Lock()


def add(subscription: Subscription) -> None:
    """Send it the answers of mutations from now on."""
    with _changing:
        _active.add(subscription)


def remove(subscription: Subscription) -> None:
    """Send it nothing any more."""
    with _changing:
        _active.discard(subscription)


def publish(api_id: str, mutation: str, answer: Any) -> None:
    """Send what a mutation answered to those whom it concerns; null concerns nobody."""
    if answer is None:
        return
    with _changing:
        concerned = [one for one in _active if one.concerns(api_id, mutation, answer)]
    for one in concerned:
        one.hear(answer)


def mutations_of(info: GraphQLResolveInfo) -> frozenset[str]:
    """Read in the schema which mutations a field of Subscription waits for."""
    field = info.parent_type.fields[info.field_name].ast_node
    named = [
        value_from_ast_untyped(argument.value)
        for directive in (field.directives if field else ())
        if directive.name.value == "aws_subscribe"
        for argument in directive.arguments
        if argument.name.value == "mutations"
    ]
    return frozenset(name for names in named for name in ([names] if isinstance(names, str) else names))


def wanted_by(info: GraphQLResolveInfo, arguments: Arguments) -> Arguments:
    """Name the arguments that filter, with what they are compared with."""
    written = {argument.name.value for argument in info.field_nodes[0].arguments}
    return {**dict.fromkeys(written), **arguments}
