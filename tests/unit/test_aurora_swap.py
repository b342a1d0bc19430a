"""A swap of a cluster's instances: whatever fails and whenever, saying it again ends it, and there is a writer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.aurora import swap as swaps
from lab.aurora.plan import Action, DriftError, Kind, Member, State, Step, plan
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SERVERLESS, PROVISIONED = Kind.SERVERLESS, Kind.PROVISIONED
BOTH = (SERVERLESS, PROVISIONED)
S1 = Member("serverless1", SERVERLESS, is_writer=True, promotion_tier=0)
S2 = Member("serverless2", SERVERLESS, is_writer=False)
P1 = Member("provisioned1", PROVISIONED, is_writer=False)
P2 = Member("provisioned2", PROVISIONED, is_writer=False)


def reader(member: Member) -> Member:
    return replace(member, is_writer=False)


def writer(member: Member) -> Member:
    return replace(member, is_writer=True)


def undrifted(declared: tuple[Kind, ...], members: tuple[Member, ...], **more: bool) -> State:
    """Have the instances that the stack made, and no others."""
    return State(declared, members, frozenset(member.identifier for member in members), **more)


def actions(steps: Sequence[Step]) -> list[Action]:
    return [step.action for step in steps]


@pytest.mark.parametrize(
    ("state", "left"),
    [
        pytest.param(
            undrifted((SERVERLESS,), (S1,)),
            [Action.ADD, Action.WAIT_FOR_INSTANCES, Action.FAIL_OVER, Action.REMOVE],
            id="nothing was done",
        ),
        pytest.param(
            undrifted((SERVERLESS,), (S1,), stack_is_settled=False),
            [Action.WAIT_FOR_STACK, Action.ADD, Action.WAIT_FOR_INSTANCES, Action.FAIL_OVER, Action.REMOVE],
            id="interrupted while the stack adds instances",
        ),
        pytest.param(
            undrifted(BOTH, (S1, replace(P1, is_available=False))),
            [Action.WAIT_FOR_INSTANCES, Action.FAIL_OVER, Action.REMOVE],
            id="interrupted while an instance starts",
        ),
        pytest.param(
            undrifted(BOTH, (S1, P1)), [Action.FAIL_OVER, Action.REMOVE], id="interrupted before the failover"
        ),
        pytest.param(
            undrifted(BOTH, (reader(S1), P1), cluster_is_available=False),
            [Action.WAIT_FOR_CLUSTER, Action.FAIL_OVER, Action.REMOVE],
            id="interrupted in the middle of the failover",
        ),
        pytest.param(undrifted(BOTH, (reader(S1), writer(P1))), [Action.REMOVE], id="interrupted after the failover"),
        pytest.param(
            undrifted(BOTH, (reader(S1), writer(P1)), stack_is_settled=False),
            [Action.WAIT_FOR_STACK, Action.REMOVE],
            id="interrupted while the stack removes instances",
        ),
        pytest.param(
            undrifted(BOTH, (reader(S1), S2, writer(P1), replace(P2, is_available=False))),
            [Action.WAIT_FOR_INSTANCES, Action.REMOVE],
            id="the writer is a new one, and its reader is not there yet",
        ),
        pytest.param(undrifted((PROVISIONED,), (writer(P1),)), [], id="all was done"),
        pytest.param(
            undrifted((PROVISIONED,), (writer(P1),), cluster_is_available=False),
            [],
            id="all was done, and a backup is made",
        ),
    ],
)
def test_the_plan_goes_on_where_the_cluster_is(state: State, left: list[Action]) -> None:
    assert actions(plan(state, PROVISIONED)) == left


@pytest.mark.parametrize(
    ("state", "left"),
    [
        (undrifted(BOTH, (S1, P1)), [Action.REMOVE]),
        (undrifted(BOTH, (reader(S1), writer(P1))), [Action.FAIL_OVER, Action.REMOVE]),
        (
            undrifted((PROVISIONED,), (writer(P1),)),
            [Action.ADD, Action.WAIT_FOR_INSTANCES, Action.FAIL_OVER, Action.REMOVE],
        ),
    ],
)
def test_a_swap_that_was_begun_can_be_taken_back(state: State, left: list[Action]) -> None:
    assert actions(plan(state, SERVERLESS)) == left


def test_the_instance_of_the_lowest_promotion_tier_takes_over() -> None:
    state = undrifted(BOTH, (S1, S2, P2, replace(P1, promotion_tier=3)))

    [over, _] = plan(state, PROVISIONED)

    assert (over.action, over.writer) == (Action.FAIL_OVER, "provisioned2")


def test_a_failover_that_aws_made_to_an_old_instance_is_followed_by_another() -> None:
    state = undrifted(BOTH, (reader(S1), writer(S2), P1, P2))

    assert actions(plan(state, PROVISIONED)) == [Action.FAIL_OVER, Action.REMOVE]


def test_the_stack_declares_both_kinds_with_the_old_one_first() -> None:
    [added, *_, removed] = plan(undrifted((PROVISIONED,), (writer(P1),)), SERVERLESS)

    assert added.declared == (PROVISIONED, SERVERLESS)
    assert removed.declared == (SERVERLESS,)


@pytest.mark.parametrize("to", Kind)
@pytest.mark.parametrize(
    ("drifted", "said"),
    [
        pytest.param(
            State((SERVERLESS,), (S1, S2), frozenset({"serverless1"})),
            "The cluster has serverless2, which its stack did not make: remove it",
            id="an instance of the same kind was added",
        ),
        pytest.param(
            State((SERVERLESS,), (S1, P2, P1), frozenset({"serverless1"})),
            "The cluster has provisioned1, provisioned2, which its stack did not make",
            id="instances of the other kind were added",
        ),
        pytest.param(
            State((SERVERLESS,), (S1,), frozenset({"serverless1", "serverless2"})),
            "The cluster has no serverless2 any more, which its stack made: make it again",
            id="one of several was removed",
        ),
        pytest.param(
            State(BOTH, (S1,), frozenset({"serverless1", "provisioned1"})),
            "The cluster has no provisioned1 any more",
            id="all of a kind were removed in the middle of a swap",
        ),
        pytest.param(
            State((SERVERLESS,), (S1, S2), frozenset({"serverless1", "serverless3"})),
            "The cluster has serverless2, which its stack did not make",
            id="another one took the place of one",
        ),
        pytest.param(
            undrifted((SERVERLESS,), (S1, P1)),
            "Of kind provisioned, which the stack does not declare: provisioned1",
            id="the class of one was changed",
        ),
        pytest.param(
            undrifted(BOTH, (S1, S2)),
            "The stack declares provisioned instances, and the cluster has none",
            id="the class of all of a kind was changed",
        ),
    ],
)
def test_what_was_changed_past_the_stack_is_named_and_no_step_is_planned(drifted: State, said: str, to: Kind) -> None:
    with pytest.raises(DriftError, match=said):
        plan(drifted, to)


def test_a_stack_that_is_changing_its_instances_has_not_drifted() -> None:
    adding = State((SERVERLESS,), (S1, P1), frozenset({"serverless1"}), stack_is_settled=False)

    assert actions(plan(adding, PROVISIONED))[0] is Action.WAIT_FOR_STACK


class Interrupted(BaseException):
    """The program ends here: Ctrl-C, a lost connection, a laptop that is closed."""


@dataclass
class FakeCluster:
    """A cluster and its stack; each call that changes something fails as ``failures`` says, in their order."""

    instances: int
    declared: tuple[Kind, ...] = (SERVERLESS,)
    failures: list[str] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    #: What happens at the next observations, one at each.
    events: list[Callable[[], None]] = field(default_factory=list)
    stack_is_settled: bool = True
    cluster_is_available: bool = True
    calls: list[str] = field(default_factory=list)
    made: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.members = self._made(self.declared[0])
        self.members[0] = writer(self.members[0])
        self.made = self._identifiers()

    def observe(self) -> State:
        if self.events:
            self.events.pop(0)()
        state = State(self.declared, tuple(self.members), self.made)
        return replace(state, stack_is_settled=self.stack_is_settled, cluster_is_available=self.cluster_is_available)

    def deploy(self, declared: Sequence[Kind]) -> None:
        self.calls.append("deploy " + ",".join(declared))
        match self._failure():
            case "refused":
                raise LabError("the deployment was rolled back")
            case "interrupted before":
                raise Interrupted
            case "interrupted":
                self.stack_is_settled = False
                self.events = [lambda: None, lambda: self._update(tuple(declared))]
                raise Interrupted
        self._update(tuple(declared))

    def fail_over(self, identifier: str) -> None:
        self.calls.append(f"fail over to {identifier}")
        chosen = next(member for member in self.members if member.identifier == identifier)
        assert chosen.is_available
        assert self.cluster_is_available
        assert self.stack_is_settled
        match self._failure():
            case "refused":
                raise LabError("the failover was refused")
            case "interrupted before":
                raise Interrupted
            case "interrupted":
                self._begin_failover(identifier)
                raise Interrupted
        self._begin_failover(identifier)

    def _failure(self) -> str:
        return self.failures.pop(0) if self.failures else "none"

    def _begin_failover(self, identifier: str) -> None:
        self.cluster_is_available = False
        self.members = [reader(member) for member in self.members]
        self.events = [lambda: None, lambda: self._promote(identifier)]

    def _promote(self, identifier: str) -> None:
        self.cluster_is_available = True
        self.members = [replace(member, is_writer=member.identifier == identifier) for member in self.members]

    def _update(self, declared: tuple[Kind, ...]) -> None:
        removed = [member for member in self.members if member.kind not in declared]
        assert not any(member.is_writer for member in removed), "the writer was removed"
        self.members = [member for member in self.members if member not in removed]
        for kind in declared:
            if kind not in self.declared:
                self.members += [replace(member, is_available=False) for member in self._made(kind)]
                self.events = [lambda: None, self._start]
        available = [member for member in self.members if member.is_available]
        assert len(available) >= self.instances, "fewer instances than before answered"
        self.declared, self.stack_is_settled, self.made = declared, True, self._identifiers()

    def _start(self) -> None:
        self.members = [replace(member, is_available=True) for member in self.members]

    def _identifiers(self) -> frozenset[str]:
        return frozenset(member.identifier for member in self.members)

    def _made(self, kind: Kind) -> list[Member]:
        return [Member(f"{kind.value}{n}", kind, is_writer=False) for n in range(1, self.instances + 1)]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_for(holds: Callable[[], bool], *, seconds: float) -> bool:
        return any(holds() for _ in range(int(seconds // 60)))

    monkeypatch.setattr(swaps, "wait_for", wait_for)


def run(cluster: FakeCluster, to: Kind) -> list[Action]:
    return actions(swaps.swap(cluster, to, before=lambda _: None))


def test_a_swap_without_a_failure_takes_each_step_once() -> None:
    cluster = FakeCluster(2)

    taken = run(cluster, PROVISIONED)

    assert taken == [Action.ADD, Action.WAIT_FOR_INSTANCES, Action.FAIL_OVER, Action.REMOVE]
    assert cluster.calls == [
        "deploy serverless,provisioned",
        "fail over to provisioned1",
        "deploy provisioned",
    ]
    assert [(member.identifier, member.is_writer) for member in cluster.members] == [
        ("provisioned1", True),
        ("provisioned2", False),
    ]


def test_every_step_is_shown_before_it_is_taken() -> None:
    cluster = FakeCluster(1, failures=["none", "refused"])
    shown: list[Action] = []

    with pytest.raises(LabError, match="the failover was refused"):
        swaps.swap(cluster, PROVISIONED, before=lambda step: shown.append(step.action))

    assert shown == [Action.ADD, Action.WAIT_FOR_INSTANCES, Action.FAIL_OVER]


@pytest.mark.parametrize("members", [[S1, S2, replace(S2, identifier="by-hand")], [S1]])
def test_a_swap_of_a_cluster_that_drifted_changes_nothing(members: list[Member]) -> None:
    cluster = FakeCluster(2)
    cluster.members = members

    with pytest.raises(DriftError):
        run(cluster, PROVISIONED)
    assert cluster.calls == []


FAILURES = st.lists(st.sampled_from(["none", "refused", "interrupted before", "interrupted"]), max_size=8)


@given(instances=st.integers(1, 3), failures=FAILURES)
def test_whatever_fails_saying_it_again_ends_the_swap(instances: int, failures: list[str]) -> None:
    cluster = FakeCluster(instances, failures=list(failures))

    for _ in range(len(failures) + 1):
        try:
            run(cluster, PROVISIONED)
            break
        except (LabError, Interrupted):
            continue

    assert cluster.declared == (PROVISIONED,)
    assert {member.kind for member in cluster.members} == {PROVISIONED}
    assert len(cluster.members) == instances
    assert sum(member.is_writer for member in cluster.members) == 1
    assert plan(cluster.observe(), PROVISIONED) == []


@given(failures=FAILURES, directions=st.lists(st.sampled_from(Kind), min_size=1, max_size=5))
def test_a_swap_can_change_its_direction_after_any_failure(failures: list[str], directions: list[Kind]) -> None:
    cluster = FakeCluster(2, failures=list(failures))

    for to in directions:
        try:
            run(cluster, to)
        except (LabError, Interrupted):
            continue
    cluster.failures = []
    run(cluster, directions[-1])

    assert cluster.declared == (directions[-1],)
    assert {member.kind for member in cluster.members} == {directions[-1]}


def test_a_deployment_that_changes_nothing_is_not_repeated_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(1)
    monkeypatch.setattr(cluster, "deploy", lambda _: None)

    with pytest.raises(LabError, match="that was done, and nothing has changed"):
        run(cluster, PROVISIONED)


def test_an_instance_that_never_starts_is_said_with_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(1)
    monkeypatch.setattr(cluster, "_start", lambda: None)

    with pytest.raises(LabError, match=r"not after 1,800 s\. `lab aurora swap` goes on from here"):
        run(cluster, PROVISIONED)
