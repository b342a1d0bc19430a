"""A cluster is swapped to the other kind of instances and back, and its stack declares what it has, at every end.

The command is tried once, with all that it deploys; what comes of a swap that is interrupted anywhere, with a template
of a cluster alone, which CloudFormation deploys in a second.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.aurora.cluster import DeployedCluster
from lab.aurora.plan import Action, DriftError, Kind, plan
from lab.aurora.swap import swap
from lab.deployment import find
from lab.target import TargetName
from lab_stacks.catalog import CatalogEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .conftest import Emulated, Lab

# Here an instance is available as soon as the stack has made it.
STEPS = [Action.ADD, Action.FAIL_OVER, Action.REMOVE]
CLASSES = {Kind.SERVERLESS: "db.serverless", Kind.PROVISIONED: "db.r7g.large"}


def swapped(lab: Lab, to: str, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(lab("aurora", "swap", "--to", to, "--json", *words).stdout)
    return answer


def actions(answer: dict[str, Any]) -> list[str]:
    return [step["action"] for step in answer["steps"]]


def members(answer: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(member["kind"], member["writer"]) for member in answer["members"]]


def test_a_running_cluster_is_swapped_and_its_stack_declares_what_it_has(lab: Lab) -> None:
    lab("up", "aurora", "-c", "instances=serverless")

    planned = swapped(lab, "provisioned", "--dry-run")
    assert actions(planned) == ["add instances", "wait for instances", "fail over", "remove instances"]
    assert (planned["taken"], members(planned)) == (False, [("serverless", True)])

    answer = swapped(lab, "provisioned")
    assert actions(answer) == [action.value for action in STEPS]
    assert members(answer) == [("provisioned", True)]
    assert actions(swapped(lab, "provisioned")) == []
    lab("diff", "aurora", "--fail")


def template(kinds: Sequence[Kind]) -> str:
    cluster = {
        "Engine": "aurora-postgresql",
        "EngineVersion": "16.4",
        "MasterUsername": "master",
        "ManageMasterUserPassword": True,
    }
    instances = {
        f"{kind.name.title()}{number}": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {
                "Engine": "aurora-postgresql",
                "DBInstanceClass": CLASSES[kind],
                "DBClusterIdentifier": {"Ref": "Cluster"},
            },
        }
        for kind in kinds
        for number in (1, 2)
    }
    settings = json.dumps({"instances": ",".join(kind.value for kind in kinds)})
    return json.dumps(
        {
            "Resources": {"Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": cluster}, **instances},
            "Outputs": {"ClusterIdentifier": {"Value": {"Ref": "Cluster"}}, "Settings": {"Value": settings}},
        }
    )


@dataclass(frozen=True)
class TemplateCluster(DeployedCluster):
    """A cluster that CloudFormation deploys."""

    def deploy(self, declared: Sequence[Kind], *, made: str = "update") -> None:
        cloudformation, stack = self.target.session.client("cloudformation"), self.section.stack_id
        getattr(cloudformation, f"{made}_stack")(StackName=stack, TemplateBody=template(declared))
        waiter = cloudformation.get_waiter("stack_create_complete" if made == "create" else "stack_update_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 1})


class InterruptedCluster:
    """The same, until Ctrl-C comes when so many steps are taken."""

    def __init__(self, cluster: TemplateCluster, after: int) -> None:
        self._cluster, self._left = cluster, after
        self.observe = cluster.observe

    def deploy(self, declared: Sequence[Kind]) -> None:
        self._cluster.deploy(declared)
        self._step_is_taken()

    def fail_over(self, writer: str) -> None:
        self._cluster.fail_over(writer)
        self._step_is_taken()

    def _step_is_taken(self) -> None:
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def target(emulated: Emulated) -> Iterator[Any]:
    """Find the emulator once for all tests here."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in emulated.settings.items():
            environment.setenv(name, value)
        yield SimpleNamespace(session=emulated.session, name=TargetName.LOCAL)


@pytest.fixture
def cluster(target: Any) -> Iterator[Callable[[Kind], TemplateCluster]]:
    """Make a cluster of instances of one kind."""
    name = f"Swapped{uuid.uuid4().hex}"
    swappable = TemplateCluster(CatalogEntry(id="swapped", stack_id=name, heading="", shows=""), target)

    def make(kind: Kind) -> TemplateCluster:
        swappable.deploy([kind], made="create")
        return swappable

    yield make
    target.session.client("cloudformation").delete_stack(StackName=name)


def require_whole(cluster: TemplateCluster, kind: Kind) -> None:
    """Expect that stack and cluster agree, and that no step is left."""
    state = cluster.observe()
    assert state.declared == (kind,)
    assert [member.kind for member in state.members] == [kind, kind]
    assert sum(member.is_writer for member in state.members) == 1
    assert plan(state, kind) == []


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize(("before", "to"), [tuple(Kind), tuple(Kind)[::-1]])
def test_a_swap_that_was_interrupted_goes_on_where_it_was(
    cluster: Callable[[Kind], TemplateCluster], before: Kind, to: Kind, after: int
) -> None:
    ours = cluster(before)
    with pytest.raises(KeyboardInterrupt):
        swap(InterruptedCluster(ours, after), to, before=lambda _: None)

    resumed = swap(ours, to, before=lambda _: None)

    assert [step.action for step in resumed] == STEPS[after:]
    require_whole(ours, to)


@pytest.mark.parametrize(("after", "back"), [(1, [Action.REMOVE]), (2, [Action.FAIL_OVER, Action.REMOVE]), (3, STEPS)])
def test_a_swap_that_was_interrupted_is_taken_back(
    cluster: Callable[[Kind], TemplateCluster], after: int, back: list[Action]
) -> None:
    ours = cluster(Kind.SERVERLESS)
    with pytest.raises(KeyboardInterrupt):
        swap(InterruptedCluster(ours, after), Kind.PROVISIONED, before=lambda _: None)

    taken = swap(ours, Kind.SERVERLESS, before=lambda _: None)

    assert [step.action for step in taken] == back
    require_whole(ours, Kind.SERVERLESS)


def test_an_instance_that_was_added_or_removed_by_hand_is_named_and_nothing_is_swapped(
    cluster: Callable[[Kind], TemplateCluster],
) -> None:
    ours = cluster(Kind.SERVERLESS)
    client, before = ours.target.session.client("rds"), ours.observe()
    identifier = find(ours.section, ours.target).output("ClusterIdentifier")
    client.create_db_instance(
        DBInstanceIdentifier="by-hand",
        DBClusterIdentifier=identifier,
        DBInstanceClass=CLASSES[Kind.SERVERLESS],
        Engine="aurora-postgresql",
    )
    with pytest.raises(DriftError, match="has by-hand, which its stack did not make"):
        swap(ours, Kind.PROVISIONED, before=lambda _: None)

    client.delete_db_instance(DBInstanceIdentifier="by-hand", SkipFinalSnapshot=True)
    assert ours.observe() == before
    [reader] = [member.identifier for member in before.members if not member.is_writer]
    client.delete_db_instance(DBInstanceIdentifier=reader, SkipFinalSnapshot=True)
    with pytest.raises(DriftError, match=f"has no {reader} any more, which its stack made"):
        swap(ours, Kind.PROVISIONED, before=lambda _: None)
    assert ours.observe().declared == (Kind.SERVERLESS,)
