"""Says what is wrong with an event pattern, where, and what to write instead; knows no CDK.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from math import prod
from typing import TYPE_CHECKING, Any

from lambda_src.event_rule.operators import CHECKS, COMPARISONS, is_number, only_cloudformation_knows, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Most characters of a pattern, a quota that an account can have raised.
MAX_CHARACTERS = 2048
#: Most rules without ``$or`` that a pattern may come to.
MAX_COMBINATIONS = 1000

_TEXT_FIELDS = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "replay-name")
_FIELDS = (*_TEXT_FIELDS, "detail")


def problems(pattern: Any) -> list[str]:
    """List what is wrong with ``pattern``, each with its path: ``detail.total[0].numeric: ...``.

    Refused are patterns that EventBridge refuses, and those that no event can match. An intrinsic function of
    CloudFormation (``{"Ref": ...}``) stands for a value that is right.
    """
    found = [*_fields("", pattern)]
    if not isinstance(pattern, Mapping):
        return found
    found += _top_level(pattern)
    characters = len(json.dumps(pattern, separators=(",", ":"), ensure_ascii=False, default=str))
    if characters > MAX_CHARACTERS:
        found.append(
            f"the whole: {characters:,} characters, of {MAX_CHARACTERS:,} at most: use fewer values or shorter"
        )
    if not found and _combinations(pattern) > MAX_COMBINATIONS:
        found.append(f"$or: over {MAX_COMBINATIONS:,} combinations: make several rules of it")
    return found


def _fields(path: str, node: Any, *, inside_or: bool = False) -> Iterator[str]:
    if not isinstance(node, Mapping):
        yield f"{path or 'the whole'}: {shown(node)} is no object: name the fields to compare"
        return
    if not node:
        yield f"{path or 'the whole'}: an empty object says nothing: name the fields to compare"
    for name, value in node.items():
        where = f"{path}.{name}" if path else str(name)
        if name == "$or":
            yield from _or(where, value)
        elif name in CHECKS and (inside_or or not isinstance(value, Mapping | list) or _is_operand(name, value)):
            yield f"{where}: {name} is an operator, it belongs in the array of a field: [{shown({name: value})}]"
        elif isinstance(value, Mapping):
            yield from _fields(where, value, inside_or=inside_or)
        elif isinstance(value, list):
            yield from _values(where, value)
        else:
            yield f"{where}: {shown(value)} stands alone: write [{shown(value)}]"


def _is_operand(name: str, value: Any) -> bool:
    """Say whether an array that looks like a field's values is an operator's operand, with its array forgotten."""
    return name == "numeric" and isinstance(value, list) and value[:1] != [] and value[0] in COMPARISONS


def _or(where: str, members: Any) -> Iterator[str]:
    if not isinstance(members, list) or len(members) < 2:
        yield f"{where}: write an array of two objects or more, each of which may match"
        return
    for number, member in enumerate(members):
        yield from _fields(f"{where}[{number}]", member, inside_or=True)


def _values(where: str, values: list[Any]) -> Iterator[str]:
    if not values:
        yield f"{where}: an empty array matches no event: name a value, or leave the field out"
    for number, value in enumerate(values):
        at = f"{where}[{number}]"
        if isinstance(value, Mapping):
            yield from _expression(at, value)
        elif isinstance(value, list):
            yield f"{at}: an array inside an array: write its values side by side"
        elif not (value is None or isinstance(value, str | bool | int | float)):
            yield f"{at}: {shown(value)} is no JSON value: write text, a number, true, false or null"


def _expression(at: str, expression: Mapping[str, Any]) -> Iterator[str]:
    if only_cloudformation_knows(expression):
        return
    if len(expression) != 1:
        yield f"{at}: {len(expression)} operators in one object: give each an object of its own"
    for name, operand in expression.items():
        if name in CHECKS:
            yield from CHECKS[name](f"{at}.{name}", operand)
        else:
            guess = get_close_matches(str(name), CHECKS, n=1)
            meant = f" Did you mean {guess[0]}?" if guess else ""
            yield f"{at}.{name}: there is no such operator.{meant} The operators are: {', '.join(CHECKS)}"


def _top_level(pattern: Mapping[str, Any]) -> Iterator[str]:
    for name, values in pattern.items():
        if name == "$or":
            for number, member in enumerate(values if isinstance(values, list) else []):
                if isinstance(member, Mapping):
                    yield from (f"$or[{number}].{problem}" for problem in _top_level(member))
        elif name not in _FIELDS and name not in CHECKS:
            guess = get_close_matches(_hyphenated(str(name)), _FIELDS, n=1)
            meant = f" Did you mean {guess[0]}?" if guess else ""
            yield f"{name}: no event has this field.{meant} What is the event's own is in detail"
        elif name in _TEXT_FIELDS and isinstance(values, list):
            for number, value in enumerate(values):
                if is_number(value):
                    yield f'{name}[{number}]: is text in every event, and {value} a number: write "{value}"'


def _hyphenated(name: str) -> str:
    return re.sub(r"(?<=[a-z])_?(?=[A-Z])|_", "-", name).lower()


def _combinations(node: Any) -> int:
    """Count the rules without ``$or`` that a pattern comes to."""
    return prod(
        sum(_combinations(member) for member in value) if name == "$or" else _combinations(value)
        for name, value in _items(node)
    )


def _items(node: Any) -> Iterable[tuple[str, Any]]:
    return node.items() if isinstance(node, Mapping) else ()
