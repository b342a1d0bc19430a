"""Decides whether a trace is one of those that a filter expression asks for."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lab.xray.matching.values import PartValues, TraceValues
from lambda_src.trace_group.filter_expression.tree import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    EdgeFilter,
    Expression,
    InGroup,
    IsSet,
    Not,
    Selector,
    ServiceFilter,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.xray.matching.services import Edge, Service
    from lab.xray.model import Trace


def matches(expression: Expression, trace: Trace, groups: Mapping[str, Expression] | None = None) -> bool:
    """Tell whether a trace is one of those that the expression asks for.

    :param groups: what ``group.name`` and ``group.arn`` mean: each group's expression, by its name and by its ARN.
    """
    return _holds(expression.condition, _Case(TraceValues(trace), groups or {}))


@dataclass(frozen=True)
class _Case:
    """What a condition is about.

    :param part: the service or edge, inside of braces.
    """

    trace: TraceValues
    groups: Mapping[str, Expression] = field(default_factory=dict)
    part: PartValues | None = None

    def values(self, keyword: str) -> Sequence[Value]:
        return (self.part or self.trace).values(keyword)

    def within(self, part: Service | Edge) -> _Case:
        return replace(self, part=PartValues.of(part))


def _holds(condition: Condition, case: _Case) -> bool:  # noqa: PLR0911 - one for each kind of condition
    match condition:
        case AllOf(conditions):
            return all(_holds(one, case) for one in conditions)
        case AnyOf(conditions):
            return any(_holds(one, case) for one in conditions)
        case Not(negated):
            return not _holds(negated, case)
        case IsSet(keyword):
            return any(value is not False for value in case.values(keyword))
        case Comparison():
            return _compares(condition, case.values(condition.keyword))
        case ServiceFilter(selector, there):
            return any(_selects(selector, one) and _holds(there, case.within(one)) for one in case.trace.services)
        case EdgeFilter(source, destination, there):
            return any(
                _selects(source, edge.source)
                and _selects(destination, edge.destination)
                and _holds(there, case.within(edge))
                for edge in case.trace.edges
            )
        case InGroup(group):
            expression = case.groups.get(group)
            # Without groups, so that one that names itself comes to an end.
            return expression is not None and _holds(expression.condition, _Case(case.trace))


def _selects(selector: Selector, service: Service) -> bool:
    wanted = {"Name": selector.name, "Type": selector.type, "AccountId": selector.account_id}
    return all(value is None or service.id.get(field) == value for field, value in wanted.items())


def _compares(comparison: Comparison, values: Sequence[Value]) -> bool:
    """Compare with what a keyword has: several values, such as an annotation of several segments, or none.

    One that fits is enough. Only ``!=`` asks for a keyword that is set, and to nothing that is equal.
    """
    if comparison.operator == "!=":
        return bool(values) and not any(_equal(value, comparison.value) for value in values)
    fits = _OPERATORS[comparison.operator]
    return any(fits(value, comparison.value) for value in values)


def _equal(one: Value, other: Value) -> bool:
    """Compare without taking true for 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[Value, Value], bool]:
    def fits(one: Value, other: Value) -> bool:
        if isinstance(one, (str, bool)) or isinstance(other, (str, bool)):
            return False
        return compare(one, other)

    return fits


def _texts(compare: Callable[[str, str], bool]) -> Callable[[Value, Value], bool]:
    return lambda one, other: isinstance(one, str) and isinstance(other, str) and compare(one, other)


_OPERATORS = {
    "=": _equal,
    "<": _numbers(operator.lt),
    "<=": _numbers(operator.le),
    ">": _numbers(operator.gt),
    ">=": _numbers(operator.ge),
    "CONTAINS": _texts(str.__contains__),
    "BEGINSWITH": _texts(str.startswith),
    "ENDSWITH": _texts(str.endswith),
}
