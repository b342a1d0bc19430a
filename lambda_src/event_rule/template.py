"""Writes an event pattern into a template, with what only CloudFormation knows, and with null."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_cdk import Token

from lambda_src.event_rule.operators import only_cloudformation_knows

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_events as events


def resolved(stack: Stack, node: Any) -> Any:
    """Replace the CDK's tokens, and what its ``events.Match`` makes, by what they stand for in a template."""
    # Not the whole at once: the CDK would drop null from it.
    if Token.is_unresolved(node):
        return stack.resolve(node)
    if isinstance(node, Mapping):
        return {name: resolved(stack, value) for name, value in node.items()}
    return [resolved(stack, value) for value in node] if isinstance(node, list | tuple) else node


def write(pattern: Mapping[str, Any], rule: events.CfnRule) -> None:
    """Write the pattern into the rule: as an object, or as text if it has null in it, which a template cannot have.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-null-values.html
    """
    if _has_null(pattern):
        # The property itself is of objects alone, as far as the CDK knows.
        rule.add_property_override("EventPattern", json.dumps(_with_tokens(resolved(rule.stack, pattern))))
    else:
        rule.event_pattern = pattern


def _with_tokens(node: Any) -> Any:
    """Replace what only CloudFormation knows by text that the CDK replaces by it again."""
    if only_cloudformation_knows(node):
        return Token.as_string(node)
    if isinstance(node, Mapping):
        return {name: _with_tokens(value) for name, value in node.items()}
    return [_with_tokens(value) for value in node] if isinstance(node, list) else node


def _has_null(node: Any) -> bool:
    if isinstance(node, Mapping):
        return any(map(_has_null, node.values()))
    return any(map(_has_null, node)) if isinstance(node, list | tuple) else node is None
