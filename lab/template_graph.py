"""Reads a template as a graph: what a person cares about, what is folded into it, and how it all connects.

Nothing here knows a section. What is a node, what is folded into which, and every connection follow from the template:
from construct paths, from references, and from what a few properties and resource types mean on AWS.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# Folded into what they are about, which is what these properties refer to.
_ABOUT = {
    "AWS::CloudWatch::Alarm": ["Dimensions", "Metrics"],
    "AWS::ECS::ClusterCapacityProviderAssociations": ["Cluster"],
    "AWS::Events::EventBusPolicy": ["EventBusName"],
    "AWS::IAM::ManagedPolicy": ["Roles"],
    "AWS::IAM::Policy": ["Roles"],
    "AWS::KMS::Alias": ["TargetKeyId"],
    "AWS::Lambda::EventSourceMapping": ["FunctionName"],
    "AWS::Lambda::Permission": ["FunctionName"],
    "AWS::Logs::LogGroup": ["LogGroupName"],
    "AWS::S3::BucketPolicy": ["Bucket"],
    "AWS::SNS::Subscription": ["TopicArn"],
    "AWS::SNS::TopicPolicy": ["Topics"],
    "AWS::SQS::QueuePolicy": ["Queues"],
}
# Folded into what uses them, where that is one thing alone.
_PART_OF_ITS_USER = {
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::SecurityGroup",
    "AWS::ECS::TaskDefinition",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::Role",
    "AWS::Lambda::LayerVersion",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::RDS::DBParameterGroup",
    "AWS::RDS::DBSubnetGroup",
}
_NETWORK = "AWS::EC2::VPC"
_OF_THE_CDK = "AWS::CDK::Metadata"


class Kind(Enum):
    """What a connection means."""

    FLOW = "messages, events or requests go this way"
    PERMISSION = "the source may do something with the target"
    REFERENCE = "the source has a property that refers to the target"


@dataclass(frozen=True)
class Resource:
    """A resource as the template declares it."""

    logical_id: str
    type: str
    path: str  # of the construct, without the stack; in a template that the CDK did not make, the logical id
    properties: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The construct that this is the main resource of, as the CDK names those; its own path, if it is of none."""
        scope, _, own = self.path.rpartition("/")
        return scope if own in {"Resource", "Default", scope.rpartition("/")[2]} else self.path


@dataclass(frozen=True)
class Node:
    """A resource that a person cares about, and how many of which types are folded into it."""

    resource: Resource
    folded: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Connection:
    """All that connects two resources in the same way."""

    source: str
    target: str
    kind: Kind
    labels: tuple[str, ...] = ()
    #: What source or target may do with the other for a flow to flow, or what a permission permits.
    actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """A template's nodes by their logical ids, which of them are inside which VPC, and what connects them."""

    nodes: dict[str, Node]
    networks: dict[str, str]
    connections: list[Connection]


def read(template: Mapping[str, Any]) -> Graph:
    """Read a CloudFormation template."""
    resources = _resources(template)
    root = _roots(resources)
    nodes = {own: Node(resource) for own, resource in resources.items() if root[own] == own}
    for own, resource in resources.items():
        if root[own] != own:
            nodes[root[own]].folded[resource.type] += 1
    networks = _networks(resources, root)
    return Graph(nodes, networks, _connections(resources, root, networks))


def _resources(template: Mapping[str, Any]) -> dict[str, Resource]:
    return {
        own: Resource(own, str(declared.get("Type", "")), _path(own, declared), _mapping(declared.get("Properties")))
        for own, declared in _mapping(template.get("Resources")).items()
        if isinstance(declared, dict) and declared.get("Type") != _OF_THE_CDK
    }


def _path(logical_id: str, declared: Mapping[str, Any]) -> str:
    _, _, path = str(_mapping(declared.get("Metadata")).get("aws:cdk:path", "")).partition("/")
    return path or logical_id


# What is folded into what


def _roots(resources: Mapping[str, Resource]) -> dict[str, str]:
    """Find for each resource the one that it is folded into: itself, if it is a node."""
    parents: dict[str, str] = {}

    def root(own: str) -> str:
        while own in parents:
            own = parents[own]
        return own

    # Of two in the same construct the first is the main one: the CDK adds to a resource what it has made already.
    mains = {resource.name: own for own, resource in reversed([*resources.items()]) if resource.name != resource.path}
    for own, resource in resources.items():
        parent = _subject(resource, resources) or _enclosing(resource, mains)
        if parent and root(parent) != own:
            parents[own] = parent

    users: dict[str, list[str]] = {own: [] for own in resources}
    for own, resource in resources.items():
        for used in _referred(resource.properties):
            users.get(used, []).append(own)

    def only_user(own: str) -> str | None:
        using = {root(user) for user in users[own]} - {own}
        return using.pop() if len(using) == 1 else None

    parts = [own for own, resource in resources.items() if resource.type in _PART_OF_ITS_USER and own not in parents]
    # Whatever is folded may be what another one waited for: the policy of a function's role is the function's then,
    # and the log group that both refer to has one user.
    while foldable := [(own, user) for own in parts if own not in parents and (user := only_user(own))]:
        parents.update(foldable[:1])
    return {own: root(own) for own in resources}


def _subject(resource: Resource, resources: Mapping[str, Resource]) -> str | None:
    """Find the first resource that one about another refers to."""
    about = [resource.properties.get(name) for name in _ABOUT.get(resource.type, [])]
    return next((referred for referred in _referred(about) if referred in resources), None)


def _enclosing(resource: Resource, mains: Mapping[str, str]) -> str | None:
    """Find the main resource of the nearest construct that this one is inside of."""
    scope = resource.path
    while scope:
        scope = scope.rpartition("/")[0]
        if mains.get(scope, resource.logical_id) != resource.logical_id:
            return mains[scope]
    return None


def _networks(resources: Mapping[str, Resource], root: Mapping[str, str]) -> dict[str, str]:
    """Find the VPC of whatever refers to just one, or to what is folded into it."""
    networks: dict[str, set[str]] = {}
    for own, resource in resources.items():
        for referred in _referred(resource.properties, in_policies=False):
            network = root.get(referred)
            if network and resources[network].type == _NETWORK and root[own] != network:
                networks.setdefault(root[own], set()).add(network)
    return {own: found.pop() for own, found in networks.items() if len(found) == 1}


# What connects them


@dataclass(frozen=True)
class _Flow:
    """What goes along a reference: from the resource to what it refers to, or the other way."""

    label: Callable[[Mapping[str, Any]], str] = lambda _: ""
    backwards: bool = False


def _counted(before: str, *names: str, after: str = "") -> Callable[[Mapping[str, Any]], str]:
    """Make a label from a number among the properties, and none where there is no such number."""

    def label(properties: Mapping[str, Any]) -> str:
        value: Any = properties
        for name in names:
            value = _mapping(value).get(name)
        return f"{before} {value} {after}".strip() if isinstance(value, int) else ""

    return label


_FLOWS = {
    "AlarmActions": _Flow(lambda _: "alarms"),
    "DeadLetterConfig": _Flow(lambda _: "dead letters"),
    "DestinationSecurityGroupId": _Flow(_counted("port", "ToPort")),
    "Endpoint": _Flow(),
    "EventBusName": _Flow(backwards=True),
    "EventSourceArn": _Flow(_counted("batches of", "BatchSize"), backwards=True),
    "Integration": _Flow(),
    "LoadBalancers": _Flow(backwards=True),
    "OKActions": _Flow(lambda _: "alarms"),
    "RedrivePolicy": _Flow(_counted("after", "RedrivePolicy", "maxReceiveCount", after="receives")),
    "Source": _Flow(backwards=True),
    "SourceArn": _Flow(backwards=True),
    "SourceSecurityGroupId": _Flow(_counted("port", "ToPort"), backwards=True),
    "Target": _Flow(),
    "Targets": _Flow(),
}


def _connections(
    resources: Mapping[str, Resource], root: Mapping[str, str], networks: Mapping[str, str]
) -> list[Connection]:
    """Find what connects the nodes, and leave out what another connection says better."""
    merged = _merged(resources, root, networks)
    connections = []
    for (source, target, kind), labels in merged.items():
        both_ways = (source, target), (target, source)
        flows = any((*ends, Kind.FLOW) in merged for ends in both_ways)
        permitted = {action: None for ends in both_ways for action in merged.get((*ends, Kind.PERMISSION), ())}
        match kind:
            case Kind.FLOW:
                connections.append(Connection(source, target, kind, tuple(labels), tuple(sorted(permitted))))
            case Kind.PERMISSION if not flows:
                connections.append(Connection(source, target, kind, (), tuple(sorted(labels))))
            case Kind.REFERENCE if not flows and not permitted:
                connections.append(Connection(source, target, kind, tuple(labels)))
    return connections


def _merged(
    resources: Mapping[str, Resource], root: Mapping[str, str], networks: Mapping[str, str]
) -> dict[tuple[str, str, Kind], dict[str, None]]:
    """Collect the labels of all that connects two nodes in the same way."""
    merged: dict[tuple[str, str, Kind], dict[str, None]] = {}
    for resource in resources.values():
        for source, target, kind, labels in _connected(resource):
            if not {source, target} <= root.keys():
                continue
            ends = root[source], root[target]
            inside = networks.get(ends[0]) == ends[1] or networks.get(ends[1]) == ends[0]
            if ends[0] != ends[1] and not inside:
                merged.setdefault((*ends, kind), {}).update(dict.fromkeys(labels))
    return merged


def _connected(resource: Resource) -> Iterator[tuple[str, str, Kind, list[str]]]:
    """Find what the properties of one resource connect, whatever is folded into what."""
    own = resource.logical_id
    for name, value in resource.properties.items():
        for statement in _statements(value):
            yield from _permitted(own, statement)
        flow = _FLOWS.get(name)
        for referred in _referred(value, in_policies=False):
            if flow is None:
                yield own, referred, Kind.REFERENCE, [str(name)]
            else:
                source, target = (referred, own) if flow.backwards else (own, referred)
                yield source, target, Kind.FLOW, [label] if (label := flow.label(resource.properties)) else []


def _permitted(own: str, statement: Mapping[str, Any]) -> Iterator[tuple[str, str, Kind, list[str]]]:
    if statement.get("Effect") != "Allow":
        return
    actions = [str(action) for action in _listed(statement.get("Action"))]
    if "Principal" in statement:  # the policy of a resource, which says who may use it
        for who in _referred([statement["Principal"], statement.get("Condition")]):
            yield who, own, Kind.PERMISSION, actions
    else:
        for what in _referred(statement.get("Resource")):
            yield own, what, Kind.PERMISSION, actions


# What properties hold


def _referred(node: Any, *, in_policies: bool = True) -> Iterator[str]:
    """Find the logical ids that ``node`` refers to.

    :param in_policies: whether the references in the statements of policies count.
    """
    match node:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]} | {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            yield from re.findall(r"\$\{(\w+)", text)
    if in_policies or "Statement" not in _mapping(node):
        for inner in _inner(node):
            yield from _referred(inner, in_policies=in_policies)


def _statements(node: Any) -> Iterator[Mapping[str, Any]]:
    """Find the statements of every policy in ``node``."""
    yield from (_mapping(statement) for statement in _listed(_mapping(node).get("Statement")))
    for inner in _inner(node):
        yield from _statements(inner)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _inner(node: Any) -> Iterable[Any]:
    return node if isinstance(node, list) else _mapping(node).values()
