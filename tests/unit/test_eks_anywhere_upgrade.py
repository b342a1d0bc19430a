"""An upgrade is planned one minor version at a time, in an order in which every step can be made."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from lab.cli import app
from lab.eks_anywhere.upgrade import By, plan
from lab.errors import UsageError
from lab_stacks.eks_anywhere_clusters import BARE_METAL, DOCKER, NUTANIX, VSPHERE
from lambda_src.eks_anywhere.cluster import WorkerGroup
from lambda_src.eks_anywhere.crds import kubernetes_versions

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_src.eks_anywhere.cluster import Cluster


def at(cluster: Cluster, kubernetes: str, eks_anywhere: str) -> list[dict[str, Any]]:
    """Return the documents of a cluster at other versions."""
    text = json.dumps(cluster.documents()).replace("1.35", kubernetes).replace("v0.26.0", f"v{eks_anywhere}.0")
    documents: list[dict[str, Any]] = json.loads(text)
    return documents


def titles(documents: list[dict[str, Any]], **options: Any) -> list[str]:
    return [step.title for step in plan("c.yaml", documents, **options).steps]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kubernetes": "1.34"}, "is no upgrade"),
        ({"kubernetes": "1.35"}, "nothing to do"),
        ({"kubernetes": "1.99"}, "No EKS Anywhere from 0.26 on has Kubernetes 1.99"),
        ({"kubernetes": "newest"}, "has Kubernetes newest"),
        ({"eks_anywhere": "v0.25.0"}, "is no upgrade"),
        ({"eks_anywhere": "0.99"}, "none that is known here"),
        ({"eks_anywhere": "soon"}, "a release such as v0.26.1"),
    ],
)
def test_what_is_no_upgrade_is_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan("c.yaml", VSPHERE.documents(), **options)


def test_where_the_cluster_is_has_to_be_known() -> None:
    with pytest.raises(UsageError, match="--from"):
        plan("c.yaml", DOCKER.documents(), kubernetes="1.36")
    assert plan("c.yaml", DOCKER.documents(), kubernetes="1.36", now="v0.26.0").steps


def test_a_way_that_no_release_has_is_refused() -> None:
    with pytest.raises(UsageError, match=r"EKS Anywhere 0\.26 has no Kubernetes 1\.29: 1\.30 to 1\.36"):
        plan("c.yaml", at(VSPHERE, "1.28", "0.24"), kubernetes="1.29", eks_anywhere="0.26")


def test_components_come_before_machines_and_every_minor_version_in_turn() -> None:
    assert titles(at(VSPHERE, "1.33", "0.24"), kubernetes="1.35") == [
        "Back factory up: etcd, and the volumes of its workloads",
        "Install eksctl anywhere v0.25.0, or its newest patch on the admin machine",
        "Upgrade the management components of factory to EKS Anywhere v0.25.0, or its newest patch",
        "Upgrade factory itself to EKS Anywhere v0.25.0, or its newest patch",
        "Upgrade factory to Kubernetes 1.34, control plane first",
        "Upgrade factory to Kubernetes 1.35, control plane first",
    ]


def test_kubernetes_goes_first_where_the_next_release_no_longer_has_it() -> None:
    steps = titles(at(VSPHERE, "1.28", "0.24"), eks_anywhere="v0.25.2", kubernetes="1.29")

    assert steps[1] == "Upgrade factory to Kubernetes 1.29, control plane first"
    assert steps[-1] == "Upgrade factory itself to EKS Anywhere v0.25.2"


def test_each_step_names_the_images_that_it_needs() -> None:
    last = plan("c.yaml", VSPHERE.documents(), kubernetes="1.36").steps[-1]

    assert {change.after for change in last.changes if change.field == "spec.template"} == {
        "/hall/vm/templates/ubuntu-2204-kube-v1.36"
    }
    assert "4 free addresses of DHCP" in last.needs  # 1, and 3 for etcd
    assert last.commands[-1] == "eksctl anywhere upgrade cluster -f c.yaml --no-timeouts"


def test_flux_makes_what_is_committed_but_for_management_components() -> None:
    steps = plan("c.yaml", at(VSPHERE, "1.34", "0.25"), eks_anywhere="v0.26.0", by=By.FLUX).steps

    assert "eksctl anywhere upgrade management-components -f c.yaml" in steps[-2].commands
    assert any(
        "clusters/factory/factory/eksa-system/eksa-cluster.yaml && git push" in one for one in steps[-1].commands
    )


def test_whoever_is_managed_waits_for_the_manager() -> None:
    steps = plan("c.yaml", at(NUTANIX, "1.34", "0.25"), eks_anywhere="v0.26.0").steps

    assert steps[1].title == "Upgrade factory, which manages branch, to EKS Anywhere v0.26.0"
    assert not steps[1].commands
    assert steps[-1].commands[-1].endswith("--kubeconfig factory/factory-eks-a-cluster.kubeconfig --no-timeouts")


def test_bare_metal_needs_spare_machines_and_a_mirror_its_images_first() -> None:
    steps = plan("c.yaml", at(BARE_METAL, "1.34", "0.25"), kubernetes="1.35", eks_anywhere="v0.26.0").steps

    assert any("import images" in command for command in steps[1].commands)
    assert steps[-1].needs.endswith("2 spare machines: one for the control plane, and one for each group of workers.")
    assert [one.after for one in steps[-1].changes if one.field == "spec.osImageURL"] == [
        "http://images.example.com/ubuntu-2204-kube-v1.35.gz"
    ]


def test_workers_with_a_version_of_their_own_come_last() -> None:
    [group] = VSPHERE.workers
    old = replace(
        VSPHERE, workers=[replace(group, kubernetes_version="1.34", machine=replace(group.machine, template=None))]
    )

    steps = titles(old.documents(), kubernetes="1.36")

    assert steps[-2:] == [
        "Upgrade the workers md-0 to Kubernetes 1.35",
        "Upgrade the workers md-0 to Kubernetes 1.36",
    ]


def test_workers_that_would_fall_too_far_behind_go_first() -> None:
    behind = replace(DOCKER, workers=[WorkerGroup(kubernetes_version="1.32")])

    assert titles(behind.documents(), kubernetes="1.36", now="v0.26.0")[1:] == [
        *(f"Upgrade the workers md-0 to Kubernetes 1.{minor}" for minor in (33, 34, 35)),
        "Upgrade laptop to Kubernetes 1.36, control plane first",
        "Upgrade the workers md-0 to Kubernetes 1.36",
    ]


def test_workers_whose_version_the_next_release_no_longer_has_go_first() -> None:
    [group] = VSPHERE.workers
    machine = replace(group.machine, template=None)
    old = replace(VSPHERE, workers=[replace(group, kubernetes_version="1.35", machine=machine)])
    documents = at(old, "1.31", "0.25")
    documents[0]["spec"]["workerNodeGroupConfigurations"][0]["kubernetesVersion"] = "1.29"

    steps = titles(documents, eks_anywhere="v0.26.0", kubernetes="1.31")

    assert steps[1:3] == [f"Upgrade the workers md-0 to Kubernetes 1.{minor}" for minor in (30, 31)]
    assert steps[-1] == "Upgrade factory itself to EKS Anywhere v0.26.0"


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_plan_skips_a_version_or_leaves_what_cannot_be(data: st.DataObject) -> None:
    known = kubernetes_versions()
    here, there = sorted(data.draw(st.lists(st.sampled_from([*known][:9]), min_size=2, max_size=2)))
    before = data.draw(st.sampled_from(known[here]))
    after = data.draw(st.sampled_from([one for one in known[there] if one >= before] or [known[there][0]]))
    try:
        made = plan("c.yaml", at(VSPHERE, before, here), kubernetes=after, eks_anywhere=there)
    except UsageError as error:
        assert (here, before) == (there, after) or "has no Kubernetes" in str(error)  # noqa: PT017
        return

    changes = [change for step in made.steps for change in step.changes]
    releases = [here, *(one.after[1:5] for one in changes if one.field == "spec.eksaVersion")]
    versions = [before, *(one.after for one in changes if one.field == "spec.kubernetesVersion")]
    for passed in (releases, versions):
        minors = [int(one.partition(".")[2]) for one in passed]
        assert minors == [*range(minors[0], minors[0] + len(minors))]
    assert (releases[-1], versions[-1]) == (there, after)


def test_the_command_prints_steps_for_a_person_and_for_a_program(tmp_path: Path) -> None:
    file = tmp_path / "factory.yaml"
    file.write_text(VSPHERE.as_yaml())

    shown = CliRunner().invoke(app, ["eks-anywhere", "plan-upgrade", str(file), "--to", "1.36"])
    read = CliRunner().invoke(app, ["eks-anywhere", "plan-upgrade", str(file), "--to", "1.36", "--json"])

    assert "2. Upgrade factory to Kubernetes 1.36" in shown.output
    assert "Cluster factory: spec.kubernetesVersion: 1.35 -> 1.36" in shown.output
    assert [step["title"] for step in json.loads(read.stdout)["steps"]] == titles(
        VSPHERE.documents(), kubernetes="1.36"
    )
