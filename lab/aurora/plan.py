"""Which steps swap the instances of a running cluster from one kind to the other, from wherever it is now.

Nothing here calls anything: the plan follows from what is there, so that an interrupted swap goes on where it was, and
so that one that was begun can be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNDO = "`cdk drift Aurora` shows what was changed by hand: undo it first."


class Kind(str, Enum):
    """What an instance is, as a user and the stack's setting ``instances`` write it."""

    SERVERLESS = "serverless"
    PROVISIONED = "provisioned"


@dataclass(frozen=True)
class Member:
    """One instance of the cluster."""

    identifier: str
    kind: Kind
    is_writer: bool
    is_available: bool = True
    promotion_tier: int = 1


@dataclass(frozen=True)
class State:
    """What is there: what the stack declares and made, the cluster's instances, and whether either is changing."""

    declared: tuple[Kind, ...]
    members: tuple[Member, ...]
    #: The identifiers of the instances that the stack made.
    made: frozenset[str]
    stack_is_settled: bool = True
    cluster_is_available: bool = True

    @property
    def writer(self) -> Member | None:
        """The instance that writes; for a moment of a failover there is none."""
        return next((member for member in self.members if member.is_writer), None)

    def of(self, kind: Kind) -> list[Member]:
        """Find the instances of a kind."""
        return [member for member in self.members if member.kind is kind]


class Action(str, Enum):
    """What a step does."""

    WAIT_FOR_STACK = "wait for the stack"
    ADD = "add instances"
    WAIT_FOR_CLUSTER = "wait for the cluster"
    WAIT_FOR_INSTANCES = "wait for instances"
    FAIL_OVER = "fail over"
    REMOVE = "remove instances"


@dataclass(frozen=True)
class Step:
    """One step: what the stack declares after it, or which instance writes after it."""

    action: Action
    text: str
    declared: tuple[Kind, ...] = ()
    writer: str | None = None

    def as_json(self) -> dict[str, str]:
        """Return the object that ``--json`` prints for it."""
        return {"action": self.action.value, "text": self.text}


class DriftError(LabError):
    """The cluster is not what its stack declares, and no step of ours would make it so."""


def plan(state: State, to: Kind) -> list[Step]:
    """List the steps that are left until the cluster has instances of the kind ``to`` alone, as its stack declares.

    No instance is removed while it writes, and none before others can do its work.

    :raises DriftError: when instances were added or removed past the stack.
    """
    left = _changes(state, to)
    if not state.stack_is_settled:
        return [Step(Action.WAIT_FOR_STACK, "Wait until the stack's update is over"), *left]
    if left and not (state.cluster_is_available and state.writer):
        return [Step(Action.WAIT_FOR_CLUSTER, "Wait until the cluster is available"), *left]
    _refuse_drift(state)
    return left


def _changes(state: State, to: Kind) -> list[Step]:
    if state.declared == (to,):
        return []
    other = next(kind for kind in Kind if kind is not to)
    newcomers = state.of(to)
    steps = []
    if to not in state.declared:
        declared = (*state.declared, to)
        steps.append(Step(Action.ADD, f"Deploy {to.value} instances beside the {other.value} ones", declared=declared))
    if not newcomers or not all(member.is_available for member in newcomers):
        steps.append(Step(Action.WAIT_FOR_INSTANCES, f"Wait until the {to.value} instances are available"))
    if state.writer is None or state.writer.kind is not to:
        # Readers of the lowest promotion tier are those that can do the writer's work.
        chosen = min(newcomers, key=lambda one: (one.promotion_tier, one.identifier), default=None)
        name = chosen.identifier if chosen else f"the first {to.value} one"
        steps.append(Step(Action.FAIL_OVER, f"Fail over to {name}", writer=chosen.identifier if chosen else None))
    steps.append(Step(Action.REMOVE, f"Deploy without the {other.value} instances", declared=(to,)))
    return steps


def _refuse_drift(state: State) -> None:
    there = frozenset(member.identifier for member in state.members)
    if added := there - state.made:
        raise DriftError(f"The cluster has {_listed(added)}, which its stack did not make: remove it.")
    if gone := state.made - there:
        raise DriftError(
            f"The cluster has no {_listed(gone)} any more, which its stack made: make it again by that name."
        )
    for kind in Kind:
        found, declared = state.of(kind), kind in state.declared
        if found and not declared:
            named = _listed(member.identifier for member in found)
            raise DriftError(f"Of kind {kind.value}, which the stack does not declare: {named}. {_UNDO}")
        if declared and not found:
            raise DriftError(f"The stack declares {kind.value} instances, and the cluster has none. {_UNDO}")


def _listed(identifiers: Iterable[str]) -> str:
    return ", ".join(sorted(identifiers))
