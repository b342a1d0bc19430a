"""EventBridge in CloudFormation: archives, connections, API destinations, bus policies, and all that a bus can have.

MiniStack's API has them, and its CloudFormation does not know them, so each handler here makes the API's own call.
A connection's managed secret is not made: its ``SecretArn`` leads to nothing. What a stack made is kept where
EventBridge keeps its own, and so over a stop and a start.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOOKS = [
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES",
    "ministack.services.cloudformation.provisioners._physical_name(stack_name, logical_id, lowercase, max_len, seeded)",
    "ministack.services.cloudformation.provisioners._eb_event_bus_create(logical_id, props, stack_name)",
    "ministack.services.cloudformation.provisioners._eb_event_bus_update"
    "(physical_id, old_props, new_props, stack_name)",
    "ministack.services.eventbridge._event_buses",
    "ministack.services.eventbridge._event_bus_policies",
    *(
        f"ministack.services.eventbridge.{operation}_{kind}(data)"
        for kind in ("archive", "connection", "api_destination")
        for operation in ("_create", "_update", "_delete")
    ),
]
_BUS = "AWS::Events::EventBus"
_POLICY = "AWS::Events::EventBusPolicy"
# MiniStack's CloudFormation forgets these of a bus; its API keeps them.
_KEPT_OF_A_BUS = ("DeadLetterConfig", "LogConfig", "KmsKeyIdentifier")
# The API wants a text for the pattern, and a template may hold numbers as texts.
_AS_ARGUMENT: dict[str, Callable[[Any], Any]] = {
    "EventPattern": json.dumps,
    "RetentionDays": int,
    "InvocationRateLimitPerSecond": int,
}

Made = tuple[str, dict[str, str]]
Properties = dict[str, Any]


def extend() -> None:
    """Teach CloudFormation the types that it does not know, and the properties of a bus that it forgets."""
    for kind in _KINDS:
        _register(kind.type, kind.replacing, create=kind.create, update=kind.update, delete=kind.delete)
    _register(
        _POLICY,
        ("EventBusName", "StatementId"),
        create=_put_statement,
        update=_update_statement,
        delete=_drop_statement,
    )
    provisioners._RESOURCE_HANDLERS[_BUS] |= {"create": _create_bus, "update": _update_bus}


def _register(kind: str, replacing: tuple[str, ...], **handlers: Any) -> None:
    provisioners._RESOURCE_HANDLERS[kind] = handlers
    provisioners._REPLACING_PROPERTIES[kind] = replacing


@dataclass(frozen=True)
class _Kind:
    """A type whose resources the API's own operations make, change and delete."""

    type: str
    noun: str
    arn: str
    longest_name: int
    name: str = "Name"
    replacing: tuple[str, ...] = ("Name",)
    called: Mapping[str, str] = field(default_factory=dict)

    def create(self, logical_id: str, properties: Properties, stack: str) -> Made:
        name = properties.get(self.name) or provisioners._physical_name(stack, logical_id, max_len=self.longest_name)
        return name, self._attributes(name, self._call("create", name, properties))

    def update(self, name: str, _: Properties, properties: Properties, __: str) -> Made:
        return name, self._attributes(name, self._call("update", name, properties))

    def delete(self, name: str, _: Properties) -> None:
        operation = getattr(eventbridge, f"_delete_{self.noun}")
        operation({self.name: name})  # One that is gone already is no error here.

    def _call(self, verb: str, name: str, properties: Properties) -> dict[str, str]:
        arguments = {
            self.called.get(key, key): _AS_ARGUMENT.get(key, lambda same: same)(value)
            for key, value in properties.items()
        }
        status, _, body = getattr(eventbridge, f"_{verb}_{self.noun}")({**arguments, self.name: name})
        answer: dict[str, str] = json.loads(body)
        if status >= 400:
            raise ValueError(f"{self.type} {name}: {answer.get('message') or answer}")
        return answer

    def _attributes(self, name: str, answer: dict[str, str]) -> dict[str, str]:
        arn = answer[self.arn]
        secret = f"arn:aws:secretsmanager:{get_region()}:{get_account_id()}:secret:events!connection/{name}"
        return {"Arn": arn, "ArnForPolicy": arn, "SecretArn": secret, "ArchiveName": name}


_KINDS = [
    _Kind(
        "AWS::Events::Archive",
        "archive",
        "ArchiveArn",
        longest_name=48,
        name="ArchiveName",
        replacing=("ArchiveName", "SourceArn"),
        called={"SourceArn": "EventSourceArn"},
    ),
    _Kind("AWS::Events::Connection", "connection", "ConnectionArn", longest_name=64),
    _Kind("AWS::Events::ApiDestination", "api_destination", "ApiDestinationArn", longest_name=64),
]


def _put_statement(logical_id: str, properties: Properties, stack: str) -> Made:
    name = properties.get("StatementId") or provisioners._physical_name(stack, logical_id, max_len=64)
    bus = properties.get("EventBusName", "default")
    statement = properties.get("Statement") or {
        "Effect": "Allow",
        "Principal": properties.get("Principal"),
        "Action": properties.get("Action"),
        "Resource": f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{bus}",
        **({"Condition": properties["Condition"]} if "Condition" in properties else {}),
    }
    _drop_statement(name, properties)
    policy = eventbridge._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
    eventbridge._event_bus_policies[bus] = {
        **policy,
        "Statement": [*policy["Statement"], {**statement, "Sid": name}],
    }
    return name, {}


def _update_statement(name: str, _: Properties, properties: Properties, stack: str) -> Made:
    return _put_statement(name, {**properties, "StatementId": name}, stack)


def _drop_statement(name: str, properties: Properties) -> None:
    bus = properties.get("EventBusName", "default")
    policy = eventbridge._event_bus_policies.get(bus)
    if policy:
        kept = [statement for statement in policy["Statement"] if statement.get("Sid") != name]
        eventbridge._event_bus_policies[bus] = {**policy, "Statement": kept}


def _create_bus(logical_id: str, properties: Properties, stack: str) -> Made:
    made: Made = provisioners._eb_event_bus_create(logical_id, properties, stack)
    return _with_all_properties(made, properties)


def _update_bus(name: str, old: Properties, new: Properties, stack: str) -> Made:
    made: Made = provisioners._eb_event_bus_update(name, old, new, stack)
    return _with_all_properties(made, new)


def _with_all_properties(made: Made, properties: Properties) -> Made:
    bus = eventbridge._event_buses[made[0]]
    for name in _KEPT_OF_A_BUS:
        bus.pop(name, None)
    bus.update({name: properties[name] for name in _KEPT_OF_A_BUS if name in properties})
    return made
