"""Draws a stack from its template, as a Mermaid flowchart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab import template_graph
from lab.template_graph import Connection, Graph, Kind, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVICES = {
    "ApiGateway": "API Gateway",
    "ApiGatewayV2": "API Gateway",
    "ElasticLoadBalancingV2": "Elastic Load Balancing",
    "Events": "EventBridge",
    "Logs": "CloudWatch Logs",
    "StepFunctions": "Step Functions",
}
_NAMES = {
    "AWS::ApiGateway::RestApi": "API Gateway REST API",
    "AWS::AppSync::GraphQLApi": "AppSync GraphQL API",
    "AWS::DynamoDB::GlobalTable": "DynamoDB table",  # what the CDK's TableV2 makes, also for one region
}
# With the colour of their text, so that they can be read on light and on dark pages.
_STYLES = {
    "compute": "fill:#fdebdc,stroke:#c2570c,color:#40200a",
    "data": "fill:#deeafc,stroke:#2459a8,color:#0c2246",
    "messages": "fill:#fbe0ec,stroke:#b01863,color:#470a27",
    "entrance": "fill:#e9e2fb,stroke:#5b3fb0,color:#211147",
    "other": "fill:#eceff2,stroke:#5c6670,color:#1d2227",
}
_STYLED = {
    "compute": {"Batch", "EC2", "ECS", "EKS", "Lambda", "StepFunctions"},
    "data": {"DynamoDB", "ECR", "EFS", "ElastiCache", "RDS", "S3", "SSM", "SecretsManager"},
    "messages": {"Events", "Kinesis", "Pipes", "SNS", "SQS", "Scheduler"},
    "entrance": {"ApiGateway", "ApiGatewayV2", "AppSync", "CloudFront", "Cognito", "ElasticLoadBalancingV2"},
}
_ARROWS = {Kind.FLOW: "==>", Kind.PERMISSION: "-.->", Kind.REFERENCE: "-->"}
_MOST_ACTIONS = 6


def picture(template: Mapping[str, Any]) -> str:
    """Draw the resources of a CloudFormation template and how they connect, as a Mermaid flowchart.

    A thick arrow is the way of messages, events and requests, with the permissions that they need in italics. A dotted
    arrow is a permission with its actions, a thin one any other reference, with the property that holds it. What serves
    one resource alone (its role, its alarms, ...) is folded into it and named there; a VPC is drawn around what is
    inside it.
    """
    graph = template_graph.read(template)
    # Numbers: a logical id can end in a hash of the resource's contents, and can be a word of Mermaid's own.
    identifiers = {own: f"n{number}" for number, own in enumerate(graph.nodes, 1)}
    used = {_style(node) for node in graph.nodes.values()}
    lines = [
        *(line for own in graph.nodes for line in _drawn(own, graph, identifiers)),
        *(_arrow(connection, identifiers) for connection in graph.connections),
        *(f"classDef {name} {style}" for name, style in _STYLES.items() if name in used),
    ]
    return "\n    ".join(["flowchart LR", *lines]) + "\n"


def _drawn(own: str, graph: Graph, identifiers: Mapping[str, str]) -> list[str]:
    """Draw a node, or a VPC with all that is inside it; what is inside one is drawn there."""
    if own in graph.networks:
        return []
    members = [member for member, network in graph.networks.items() if network == own]
    if not members:
        return [_node(graph.nodes[own], identifiers[own])]
    # A node for the VPC itself too: a title has room for one line, and what is folded into a VPC is much.
    subgraph = f"inside_{identifiers[own]}"
    return [
        f'subgraph {subgraph}["{_escaped(graph.nodes[own].resource.name)}"]',
        *(f"    {_node(graph.nodes[inside], identifiers[inside])}" for inside in (own, *members)),
        "end",
        f"style {subgraph} fill:none,stroke:#7d8590,stroke-dasharray:5 5",
    ]


def _node(node: Node, identifier: str) -> str:
    style = _style(node)
    opening, closing = ('[("', '")]') if style == "data" else ('["', '"]')
    lines = [f"<b>{_escaped(node.resource.name)}</b>", _escaped(_full_name(node.resource.type))]
    if node.folded:
        lines.append(f"<i>with {', '.join(_counted(kind, count) for kind, count in node.folded.items())}</i>")
    return f"{identifier}{opening}{'<br/>'.join(lines)}{closing}:::{style}"


def _arrow(connection: Connection, identifiers: Mapping[str, str]) -> str:
    actions = [_escaped(action) for action in connection.actions]
    if len(actions) > _MOST_ACTIONS:
        actions[_MOST_ACTIONS - 1 :] = [f"and {len(actions) - _MOST_ACTIONS + 1} more"]
    if connection.kind is Kind.FLOW:
        actions = [f"<i>{action}</i>" for action in actions]
    text = "<br/>".join([*(_escaped(label) for label in connection.labels), *actions])
    label = f'|"{text}"|' if text else ""
    return f"{identifiers[connection.source]} {_ARROWS[connection.kind]}{label} {identifiers[connection.target]}"


def _style(node: Node) -> str:
    service = _service(node.resource.type)
    return next((style for style, services in _STYLED.items() if service in services), "other")


# Words


def _full_name(kind: str) -> str:
    """Name a type of resource as a person does: ``SQS queue``."""
    service = _service(kind)
    return _NAMES.get(kind) or f"{_SERVICES.get(service, service)} {_words(kind)}".strip()


def _service(kind: str) -> str:
    return kind.split("::")[1] if kind.count("::") == 2 else ""


def _words(kind: str) -> str:
    words = re.findall(r"GraphQL|[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", kind.rpartition("::")[2])
    return " ".join(word.lower() if word.istitle() else word for word in words) or kind


def _counted(kind: str, count: int) -> str:
    word = _words(kind)
    if count > 1:
        word = f"{count} {word[:-1]}ies" if re.search(r"[^aeiou]y$", word) else f"{count} {word}s"
    return _escaped(word.replace(" ", "\N{NO-BREAK SPACE}"))


def _escaped(text: str) -> str:
    """Write every character that Mermaid or HTML could take for its own as its number."""
    return "".join(char if char.isalnum() or char in " ,.:/-" else f"#{ord(char)};" for char in text)
