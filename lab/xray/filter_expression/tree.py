"""A filter expression once it is read: conditions, and how each is decided."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from lab.xray.filter_expression.values import PartValues, TraceValues, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.xray.filter_expression.services import Service
    from lab.xray.model import Trace


@dataclass(frozen=True)
class Expression:
    """A filter expression without mistakes.

    :param text: as it was written.
    """

    text: str
    condition: Condition

    def matches(self, trace: Trace, groups: Mapping[str, Expression] | None = None) -> bool:
        """Tell whether a trace is one of those that the expression asks for.

        :param groups: what ``group.name`` and ``group.arn`` mean: each group's expression, by its name and by its ARN.
        """
        return self.condition.holds(Case(TraceValues(trace), groups or {}))


@dataclass(frozen=True)
class Case:
    """What a condition is about.

    :param part: the service or edge, inside of braces.
    """

    trace: TraceValues
    groups: Mapping[str, Expression] = field(default_factory=dict)
    part: PartValues | None = None

    def values(self, keyword: str) -> Sequence[Value]:
        """List what a keyword stands for here."""
        return (self.part or self.trace).values(keyword)


class Condition(Protocol):
    """What is true or false of a case."""

    def holds(self, case: Case) -> bool:
        """Decide it."""


@dataclass(frozen=True)
class AllOf:
    """Conditions with AND between them."""

    conditions: tuple[Condition, ...]

    def holds(self, case: Case) -> bool:
        """Decide it."""
        return all(condition.holds(case) for condition in self.conditions)


@dataclass(frozen=True)
class AnyOf:
    """Conditions with OR between them."""

    conditions: tuple[Condition, ...]

    def holds(self, case: Case) -> bool:
        """Decide it."""
        return any(condition.holds(case) for condition in self.conditions)


@dataclass(frozen=True)
class Not:
    """A condition after an exclamation mark."""

    condition: Condition

    def holds(self, case: Case) -> bool:
        """Decide it."""
        return not self.condition.holds(case)


@dataclass(frozen=True)
class IsSet:
    """A keyword alone: it is true, or, where it is none of true and false, it has a value."""

    keyword: str

    def holds(self, case: Case) -> bool:
        """Decide it."""
        return any(value is not False for value in case.values(self.keyword))


@dataclass(frozen=True)
class Comparison:
    """A keyword and what it is compared with.

    A keyword can have several values, such as an annotation of several segments: one that fits is enough. Only ``!=``
    asks for a keyword that is set, and to nothing that is equal.
    """

    keyword: str
    operator: str
    value: Value

    def holds(self, case: Case) -> bool:
        """Decide it."""
        values = case.values(self.keyword)
        if self.operator == "!=":
            return bool(values) and not any(_equal(value, self.value) for value in values)
        fits = _OPERATORS[self.operator]
        return any(fits(value, self.value) for value in values)


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


@dataclass(frozen=True)
class Selector:
    """Which services are meant: those that have all that is given."""

    name: str | None = None
    type: str | None = None
    account_id: str | None = None

    def selects(self, service: Service) -> bool:
        """Tell whether a service is meant."""
        wanted = {"Name": self.name, "Type": self.type, "AccountId": self.account_id}
        return all(value is None or service.id.get(field) == value for field, value in wanted.items())


@dataclass(frozen=True)
class ServiceFilter:
    """``service(...) {...}``: the request reached such a service, and there the condition held."""

    selector: Selector
    condition: Condition

    def holds(self, case: Case) -> bool:
        """Decide it."""
        return any(
            self.selector.selects(service) and self.condition.holds(replace(case, part=PartValues.of(service)))
            for service in case.trace.services
        )


@dataclass(frozen=True)
class EdgeFilter:
    """``edge(...) {...}``: such a service called such another, and of that call the condition held."""

    source: Selector
    destination: Selector
    condition: Condition

    def holds(self, case: Case) -> bool:
        """Decide it."""
        return any(
            self.source.selects(edge.source)
            and self.destination.selects(edge.destination)
            and self.condition.holds(replace(case, part=PartValues.of(edge)))
            for edge in case.trace.edges
        )


@dataclass(frozen=True)
class InGroup:
    """``group.name = "..."``: the group's own expression holds.

    :param group: its name or its ARN; a group that there is not holds no trace.
    """

    group: str

    def holds(self, case: Case) -> bool:
        """Decide it."""
        expression = case.groups.get(self.group)
        # Without groups, so that one that names itself comes to an end.
        return expression is not None and expression.condition.holds(Case(case.trace))
