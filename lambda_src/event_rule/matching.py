"""Says whether an event pattern matches an event, as EventBridge does; for tests, and for trying patterns out.

Numbers are compared as they are written, as AWS says: 300 and 300.0 differ, except to the operator ``numeric``.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambda_src.event_rule.operators import COMPARISONS, is_number
from lambda_src.event_rule.pattern import problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COMPARE = dict(zip(COMPARISONS, (operator.eq, operator.lt, operator.le, operator.gt, operator.ge), strict=True))


class InvalidPatternError(ValueError):
    """EventBridge would refuse the pattern, or no event could match it; the message says where, and why."""


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Say whether ``pattern`` matches ``event``, both as in AWS's documentation: ``detail-type``, ``detail`` and so on.

    >>> matches({"detail": {"total": [{"numeric": [">=", 100]}]}}, {"detail": {"total": 120}})
    True

    :raises InvalidPatternError: naming every mistake in the pattern.
    """
    if found := problems(pattern):
        raise InvalidPatternError("\n".join(found))
    return any(_object_matches(each, event) for each in _without_or(pattern))


def _without_or(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write a pattern as those without ``$or`` of which one has to match."""
    written: list[dict[str, Any]] = [{}]
    for name, value in node.items():
        if name == "$or":
            ways = [way for member in value for way in _without_or(member)]
        elif isinstance(value, Mapping):
            ways = [{name: way} for way in _without_or(value)]
        else:
            ways = [{name: value}]
        merged = (_merged(before, way) for before in written for way in ways)
        written = [each for each in merged if each is not None]
    return written


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write two patterns as one; a field that both compare is compared with the later's values, as on AWS."""
    both = dict(one)
    for name, value in other.items():
        before = one.get(name)
        if before is None or (isinstance(before, list) and isinstance(value, list)):
            both[name] = value
        elif isinstance(before, list) or isinstance(value, list) or (inner := _merged(before, value)) is None:
            return None  # no field of an event is a value and an object
        else:
            both[name] = inner
    return both


def _object_matches(pattern: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    return all(_field_matches(wanted, node.get(name, [])) for name, wanted in pattern.items())


def _field_matches(wanted: Mapping[str, Any] | list[Any], value: Any) -> bool:
    """Compare a field with what the pattern wants of it; of an array, one element is enough."""
    if isinstance(wanted, Mapping):
        objects = [each for each in _elements(value) if isinstance(each, Mapping)]
        return any(_object_matches(wanted, each) for each in objects or [{}])
    leaves = [each for each in _elements(value) if not isinstance(each, Mapping)]
    return any({"exists": bool(leaves)} == each or any(_leaf_matches(each, leaf) for leaf in leaves) for each in wanted)


def _elements(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _elements(each)
    else:
        yield value


def _leaf_matches(wanted: Any, leaf: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return type(wanted) is type(leaf) and bool(wanted == leaf)
    [(name, operand)] = wanted.items()
    if name == "exists":
        return False  # it is a matter of the field, not of a value
    if name not in _OPERATORS:
        raise InvalidPatternError(f"{name}: only CloudFormation knows this value: write the value itself")
    return _OPERATORS[name](leaf, operand)


def _prefix(leaf: Any, operand: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(leaf, str) and leaf.lower().startswith(operand["equals-ignore-case"].lower())
    return isinstance(leaf, str) and leaf.startswith(operand)


def _suffix(leaf: Any, operand: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(leaf, str) and leaf.lower().endswith(operand["equals-ignore-case"].lower())
    return isinstance(leaf, str) and leaf.endswith(operand)


def _equals_ignore_case(leaf: Any, operand: str) -> bool:
    return isinstance(leaf, str) and leaf.lower() == operand.lower()


def _wildcard(leaf: Any, operand: str) -> bool:
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+", operand)
    written = "".join(".*" if part == "*" else re.escape(re.sub(r"^\\", "", part)) for part in parts)
    return isinstance(leaf, str) and re.fullmatch(written, leaf, flags=re.DOTALL) is not None


def _numeric(leaf: Any, operand: list[Any]) -> bool:
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return is_number(leaf) and all(_COMPARE[comparison](leaf, number) for comparison, number in pairs)


def _cidr(leaf: Any, operand: str) -> bool:
    try:
        return isinstance(leaf, str) and ipaddress.ip_address(leaf) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


def _anything_but(leaf: Any, operand: Any) -> bool:
    if isinstance(operand, Mapping):
        [(name, values)] = operand.items()
        return not any(_OPERATORS[name](leaf, value) for value in (values if isinstance(values, list) else [values]))
    values = operand if isinstance(operand, list) else [operand]
    return not any(value == leaf and isinstance(leaf, bool) == isinstance(value, bool) for value in values)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _equals_ignore_case,
    "numeric": _numeric,
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
}
