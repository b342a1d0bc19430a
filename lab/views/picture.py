"""Draws a stack from its template, as a Mermaid flowchart: what a person cares about, and how it connects.

Nothing here knows a section. What is drawn, what is folded into what, and every arrow follow from the template: from
construct paths, from references, and from what a few properties and resource types mean on AWS.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# Folded into what they are about, which is what these properties refer to.
_ABOUT = {
    "AWS::CloudWatch::Alarm": ["Dimensions", "Metrics"],
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

_SERVICES = {
    "ApiGateway": "API Gateway",
    "ApiGatewayV2": "API Gateway",
    "ElasticLoadBalancingV2": "Elastic Load Balancing",
    "Events": "EventBridge",
    "Logs": "CloudWatch Logs",
    "StepFunctions": "Step Functions",
}
_KINDS = {
    "AWS::ApiGateway::RestApi": "API Gateway REST API",
    "AWS::AppSync::GraphQLApi": "AppSync GraphQL API",
    "AWS::DynamoDB::GlobalTable": "DynamoDB table",  # what the CDK's TableV2 makes, also for one region
}

_COLOURS = {
    "compute": (
        "fill:#fdebdc,stroke:#c2570c,color:#40200a",
        {"Batch", "EC2", "ECS", "EKS", "Lambda", "StepFunctions"},
    ),
    "data": (
        "fill:#deeafc,stroke:#2459a8,color:#0c2246",
        {"DynamoDB", "ECR", "EFS", "ElastiCache", "RDS", "S3", "SecretsManager", "SSM"},
    ),
    "messages": (
        "fill:#fbe0ec,stroke:#b01863,color:#470a27",
        {"Events", "Kinesis", "Pipes", "SNS", "SQS", "Scheduler"},
    ),
    "entrance": (
        "fill:#e9e2fb,stroke:#5b3fb0,color:#211147",
        {"ApiGateway", "ApiGatewayV2", "AppSync", "CloudFront", "Cognito", "ElasticLoadBalancingV2"},
    ),
    "other": ("fill:#eceff2,stroke:#5c6670,color:#1d2227", set[str]()),
}
_MOST_ACTIONS = 6


def picture(template: Mapping[str, Any]) -> str:
    """Draw the resources of a CloudFormation template and how they connect, as a Mermaid flowchart.

    A thick arrow is the way of messages and events, with the permissions that they need in italics. A dotted arrow is a permission with its actions, a thin one any other reference, with the property that holds it. What serves
    one resource alone (its role, its alarms, ...) is folded into it and named there; a VPC is drawn around what is
    inside it.
    """
    resources = _resources(template)
    root = _folded(resources)
    nodes = {own: resource for own, resource in resources.items() if root[own] == own}
    inside = _inside_networks(resources, root)
    details: dict[str, Counter[str]] = {own: Counter() for own in nodes}
    for own, resource in resources.items():
        if root[own] != own:
            details[root[own]][_words(resource.type)] += 1

    lines = ["flowchart LR"]
    for own, node in nodes.items():
        if own in inside:
            continue
        members = [nodes[member] for member, network in inside.items() if network == own]
        lines += _subgraph(node, members, details) if members else [f"    {_node(node, details[own])}"]
    lines += [f"    {line}" for line in _arrows(resources, root, inside)]
    used = {_colour(node) for node in nodes.values()}
    lines += [f"    classDef {name} {style}" for name, (style, _) in _COLOURS.items() if name in used]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Resource:
    logical_id: str
    type: str
    path: str  # of the construct, without the stack; of a template that the CDK did not make, the logical id
    properties: Mapping[str, Any]

    @property
    def scope(self) -> str:
        """The construct that this is the main resource of, as the CDK names those, or its own path if it is none's."""
        rest, _, name = self.path.rpartition("/")
        return rest if name in {"Resource", "Default", rest.rpartition("/")[2]} else self.path


class _Kind(Enum):
    """What an arrow means, and how Mermaid writes it."""

    FLOW = "==>"
    PERMISSION = "-.->"
    REFERENCE = "-->"


@dataclass(frozen=True)
class _Arrow:
    source: str
    target: str
    kind: _Kind
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Flow:
    """What moves along a reference: from the resource to what it refers to, or the other way."""

    label: Callable[[Mapping[str, Any]], str] = lambda _: ""
    backwards: bool = False


def _counted(before: str, *names: str, after: str = "") -> Callable[[Mapping[str, Any]], str]:
    """Make a label from a number among the properties, and none where there is no such number."""

    def label(properties: Mapping[str, Any]) -> str:
        value: Any = properties
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return f"{before} {value} {after}".strip() if isinstance(value, int) else ""

    return label


_FLOWS = {
    "AlarmActions": _Flow(lambda _: "alarms"),
    "DeadLetterConfig": _Flow(lambda _: "dead letters"),
    "Endpoint": _Flow(),
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


def _resources(template: Mapping[str, Any]) -> dict[str, _Resource]:
    return {
        own: _Resource(own, str(declared.get("Type", "")), _path(own, declared), _mapping(declared.get("Properties")))
        for own, declared in _mapping(template.get("Resources")).items()
        if isinstance(declared, dict) and declared.get("Type") != _OF_THE_CDK
    }


def _path(logical_id: str, declared: Mapping[str, Any]) -> str:
    _, _, path = str(_mapping(declared.get("Metadata")).get("aws:cdk:path", "")).partition("/")
    return path or logical_id


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


# What is folded into what


def _folded(resources: Mapping[str, _Resource]) -> dict[str, str]:
    """Find for each resource the one that it is folded into: itself, if it is to be seen."""
    parents: dict[str, str] = {}

    def root(own: str) -> str:
        while own in parents:
            own = parents[own]
        return own

    scopes = {resource.scope: own for own, resource in resources.items() if resource.scope != resource.path}
    for own, resource in resources.items():
        parent = _subject(resource, resources) or _enclosing(resource, scopes)
        if parent and root(parent) != own:
            parents[own] = parent

    users: dict[str, list[str]] = {own: [] for own in resources}
    for own, resource in resources.items():
        for used in _referred(resource.properties):
            if used in users:
                users[used].append(own)

    def only_user(own: str) -> str | None:
        using = {root(user) for user in users[own]} - {own}
        return using.pop() if len(using) == 1 else None

    parts = [own for own, resource in resources.items() if resource.type in _PART_OF_ITS_USER and own not in parents]
    # Each that is folded can be what another one waited for: a role's policy uses a log group, until it is the user's.
    while foldable := [(own, user) for own in parts if own not in parents and (user := only_user(own))]:
        own, user = foldable[0]
        parents[own] = user
    return {own: root(own) for own in resources}


def _subject(resource: _Resource, resources: Mapping[str, _Resource]) -> str | None:
    for name in _ABOUT.get(resource.type, []):
        for referred in _referred(resource.properties.get(name)):
            if referred in resources:
                return referred
    return None


def _enclosing(resource: _Resource, scopes: Mapping[str, str]) -> str | None:
    """Find the main resource of the nearest construct that this one is inside of."""
    scope, slash, _ = resource.path.rpartition("/")
    while slash:
        if scopes.get(scope, resource.logical_id) != resource.logical_id:
            return scopes[scope]
        scope, slash, _ = scope.rpartition("/")
    return None


def _inside_networks(resources: Mapping[str, _Resource], root: Mapping[str, str]) -> dict[str, str]:
    """Find what refers to one VPC or to what is folded into it, and which."""
    networks: dict[str, set[str]] = {}
    for own, resource in resources.items():
        for referred in _referred(resource.properties, in_policies=False):
            network = root.get(referred)
            if network and resources[network].type == _NETWORK and root[own] != network:
                networks.setdefault(root[own], set()).add(network)
    return {own: found.pop() for own, found in networks.items() if len(found) == 1}


# Arrows


def _arrows(resources: Mapping[str, _Resource], root: Mapping[str, str], inside: Mapping[str, str]) -> list[str]:
    """Write one arrow for all that connects two resources in the same way."""
    merged: dict[tuple[str, str, _Kind], dict[str, None]] = {}
    for resource in resources.values():
        for arrow in _connections(resource):
            if not {arrow.source, arrow.target} <= root.keys():
                continue
            source, target = root[arrow.source], root[arrow.target]
            if source != target and inside.get(source) != target and inside.get(target) != source:
                merged.setdefault((source, target, arrow.kind), {}).update(dict.fromkeys(arrow.labels))
    explained = {frozenset((source, target)) for source, target, kind in merged if kind is not _Kind.REFERENCE}
    lines = []
    for (source, target, kind), labels in merged.items():
        text = [_escaped(label) for label in labels]
        match kind:
            case _Kind.FLOW:
                permitted = [merged.get((*ends, _Kind.PERMISSION), {}) for ends in ((source, target), (target, source))]
                text += [f"<i>{action}</i>" for action in _actions(chain(*permitted))]
            case _Kind.PERMISSION if {(source, target, _Kind.FLOW), (target, source, _Kind.FLOW)} & merged.keys():
                continue
            case _Kind.PERMISSION:
                text = _actions(labels)
            case _Kind.REFERENCE if frozenset((source, target)) in explained:
                continue
        label = f'|"{"<br/>".join(text)}"|' if text else ""
        lines.append(f"{_identifier(source)} {kind.value}{label} {_identifier(target)}")
    return lines


def _connections(resource: _Resource) -> Iterator[_Arrow]:
    own = resource.logical_id
    for name, value in resource.properties.items():
        for statement in _statements(value):
            yield from _permissions(own, statement)
        flow = _FLOWS.get(name)
        for referred in _referred(value, in_policies=False):
            if flow is None:
                yield _Arrow(own, referred, _Kind.REFERENCE, (str(name),))
            else:
                source, target = (referred, own) if flow.backwards else (own, referred)
                label = flow.label(resource.properties)
                yield _Arrow(source, target, _Kind.FLOW, (label,) if label else ())


def _permissions(own: str, statement: Mapping[str, Any]) -> Iterator[_Arrow]:
    if statement.get("Effect") != "Allow":
        return
    actions = tuple(str(action) for action in _listed(statement.get("Action")))
    if "Principal" in statement:  # the policy of a resource, which says who may use it
        for who in _referred([statement["Principal"], statement.get("Condition")]):
            yield _Arrow(who, own, _Kind.PERMISSION, actions)
    else:
        for what in _referred(statement.get("Resource")):
            yield _Arrow(own, what, _Kind.PERMISSION, actions)


def _statements(node: Any) -> Iterator[Mapping[str, Any]]:
    """Find the statements of every policy below ``node``."""
    if isinstance(node, dict):
        yield from (statement for statement in _listed(node.get("Statement")) if isinstance(statement, dict))
    for inner in _inner(node):
        yield from _statements(inner)


def _referred(node: Any, *, in_policies: bool = True) -> Iterator[str]:
    """Find the logical ids that ``node`` refers to; ``in_policies`` says whether those in policies count."""
    match node:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]} | {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            yield from re.findall(r"\$\{(\w+)", text)
    if in_policies or not (isinstance(node, dict) and "Statement" in node):
        for inner in _inner(node):
            yield from _referred(inner, in_policies=in_policies)


def _inner(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


# Mermaid


def _subgraph(network: _Resource, members: list[_Resource], details: Mapping[str, Counter[str]]) -> list[str]:
    # A node for the VPC itself too: a title has room for one line, and what is folded into the VPC is many.
    inside = f"inside_{_identifier(network.logical_id)}"
    return [
        f'    subgraph {inside}["{_escaped(network.scope)}"]',
        *(f"        {_node(resource, details[resource.logical_id])}" for resource in (network, *members)),
        "    end",
        f"    style {inside} fill:none,stroke:#7d8590,stroke-dasharray:5 5",
    ]


def _node(resource: _Resource, folded: Counter[str]) -> str:
    colour = _colour(resource)
    opening, closing = ('[("', '")]') if colour == "data" else ('["', '"]')
    lines = [f"<b>{_escaped(resource.scope)}</b>", _escaped(_kind(resource.type))]
    if folded:
        parts = [word if count == 1 else f"{count} {_plural(word)}" for word, count in folded.items()]
        lines.append(f"<i>with {', '.join(_unbroken(part) for part in parts)}</i>")
    return f"{_identifier(resource.logical_id)}{opening}{'<br/>'.join(lines)}{closing}:::{colour}"


def _actions(labels: Iterable[str]) -> list[str]:
    shown = sorted(labels)
    if len(shown) > _MOST_ACTIONS:
        shown[_MOST_ACTIONS - 1 :] = [f"and {len(shown) - _MOST_ACTIONS + 1} more"]
    return [_escaped(action) for action in shown]


def _identifier(logical_id: str) -> str:
    """Make an identifier that Mermaid accepts; with its first letter it is none of Mermaid's own words."""
    return "r" + "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in logical_id)


def _escaped(text: str) -> str:
    """Write every character that Mermaid or HTML could take for its own as its number."""
    return "".join(char if char.isalnum() or char in " ,.:/-" else f"#{ord(char)};" for char in text)


def _unbroken(text: str) -> str:
    return _escaped(text.replace(" ", "\N{NO-BREAK SPACE}"))


def _service(kind: str) -> str:
    return kind.split("::")[1] if kind.count("::") == 2 else ""


def _colour(resource: _Resource) -> str:
    service = _service(resource.type)
    return next((name for name, (_, services) in _COLOURS.items() if service in services), "other")


def _kind(kind: str) -> str:
    """Name a type of resource as a person does: ``SQS queue``."""
    service = _service(kind)
    return _KINDS.get(kind) or f"{_SERVICES.get(service, service)} {_words(kind)}".strip()


def _words(kind: str) -> str:
    words = re.findall(r"GraphQL|[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", kind.rpartition("::")[2])
    return " ".join(word.lower() if word.istitle() else word for word in words) or kind


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if re.search(r"[^aeiou]y$", word) else f"{word}s"
