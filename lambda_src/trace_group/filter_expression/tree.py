"""A filter expression once it is read: what asks for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "str | float | bool"
Condition: TypeAlias = "AllOf | AnyOf | Not | IsSet | Comparison | ServiceFilter | EdgeFilter | InGroup"


@dataclass(frozen=True)
class Expression:
    """A filter expression without mistakes.

    :param text: as it was written.
    """

    text: str
    condition: Condition


@dataclass(frozen=True)
class AllOf:
    """Conditions with AND between them; with none there is nothing to ask for."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """Conditions with OR between them."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """A condition after an exclamation mark."""

    condition: Condition


@dataclass(frozen=True)
class IsSet:
    """A keyword alone: it is true, or, where it is none of true and false, it has a value."""

    keyword: str


@dataclass(frozen=True)
class Comparison:
    """A keyword and what it is compared with."""

    keyword: str
    operator: str
    value: Value


@dataclass(frozen=True)
class Selector:
    """Which services are meant: those that have all that is given."""

    name: str | None = None
    type: str | None = None
    account_id: str | None = None


@dataclass(frozen=True)
class ServiceFilter:
    """``service(...) {...}``: the request reached such a service, and there the condition held."""

    selector: Selector
    condition: Condition


@dataclass(frozen=True)
class EdgeFilter:
    """``edge(...) {...}``: such a service called such another, and of that call the condition held."""

    source: Selector
    destination: Selector
    condition: Condition


@dataclass(frozen=True)
class InGroup:
    """``group.name = "..."``: the group's own expression holds.

    :param group: its name or its ARN.
    """

    group: str
