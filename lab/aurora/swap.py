"""Carries out a swap, one step after the other, and finds out before each what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lab.aurora.plan import Action, plan
from lab.errors import LabError
from lab.runbook import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.aurora.plan import Kind, State, Step

# How long AWS may take: an update of the stack with its instances, an instance, a failover.
_SECONDS = {
    Action.WAIT_FOR_STACK: 3_600,
    Action.WAIT_FOR_CLUSTER: 600,
    Action.WAIT_FOR_INSTANCES: 1_800,
    Action.FAIL_OVER: 600,
}


class Cluster(Protocol):
    """What a swap needs of a cluster and its stack."""

    def observe(self) -> State:
        """Read what is there."""

    def deploy(self, declared: Sequence[Kind]) -> None:
        """Deploy the stack with instances of these kinds, and wait until it is done."""

    def fail_over(self, writer: str) -> None:
        """Ask for another instance to write."""


def swap(cluster: Cluster, to: Kind, *, before: Callable[[Step], None]) -> list[Step]:
    """Take every step that is left until the cluster has instances of the kind ``to`` alone; return them.

    An exception, or the end of this program, leaves everything so that the next swap goes on there.

    :param before: told of each step that is about to be taken.
    :raises LabError: when a step does not lead to another one.
    """
    taken: list[Step] = []
    while left := plan(cluster.observe(), to):
        [step, *_] = left
        if step in taken[-1:]:
            raise LabError(f"{step.text}: that was done, and nothing has changed. `lab aurora swap` goes on from here.")
        before(step)
        _take(cluster, to, step)
        taken.append(step)
    return taken


def _take(cluster: Cluster, to: Kind, step: Step) -> None:
    if step.action in {Action.ADD, Action.REMOVE}:
        cluster.deploy(step.declared)
        return
    if step.action is Action.FAIL_OVER:
        if step.writer is None:
            raise LabError(f"{step.text}: the cluster has none.")
        cluster.fail_over(step.writer)
        over = wait_for(lambda: _writes(cluster.observe(), step.writer), seconds=_SECONDS[step.action])
    else:
        over = wait_for(lambda: step not in plan(cluster.observe(), to), seconds=_SECONDS[step.action])
    if not over:
        raise LabError(
            f"{step.text}: not after {_SECONDS[step.action]:,} s. `lab aurora swap` goes on from here, once it is."
        )


def _writes(state: State, identifier: str | None) -> bool:
    return state.cluster_is_available and state.writer is not None and state.writer.identifier == identifier
