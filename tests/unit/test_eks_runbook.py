"""The check that runs the workload, against a stand-in for `kubectl` that keeps what it was asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import boto3
import pytest

from lab.errors import LabError
from lab.kubernetes import cluster, manifests
from lab.runbook import NotMadeError
from lab.runbooks import eks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OUTPUTS = {"ClusterName": "emulated", "Namespace": "web", "KubernetesVersion": "1.35"}
PODS = json.dumps({"items": [{"metadata": {"name": "web-1"}}, {"metadata": {"name": "web-2"}}]})
KUBECTL = """#!/bin/sh
echo "$@" >> {folder}/asked
case "$*" in
  "get namespace"*) cat {folder}/namespace ;;
  *rollout*) exit $(cat {folder}/rollout) ;;
  *pods*) echo '{pods}' ;;
  *"/version") echo '{{"gitVersion": "v1.35.0"}}' ;;
  *--raw*) echo "<p>This is $(cat {folder}/page)</p>" ;;
esac
"""


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Mock:
    session = boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-west-1")
    described = {"cluster": {"endpoint": "https://127.0.0.1:1", "certificateAuthority": {"data": "Y2E="}}}
    client = Mock(describe_cluster=Mock(return_value=described))
    real = session.client
    monkeypatch.setattr(session, "client", lambda name, **more: client if name == "eks" else real(name, **more))
    monkeypatch.setattr(cluster, "answers", lambda _: True)
    monkeypatch.setattr(manifests, "of_section", lambda _: "kind: Namespace\n")
    made = Mock(output=OUTPUTS.__getitem__, client=session.client)
    made.target.session = session
    return made


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {"namespace": "", "rollout": "0", "page": "web-2"}.items():
        (tmp_path / name).write_text(text)
    command = tmp_path / "kubectl"
    command.write_text(KUBECTL.format(folder=tmp_path, pods=PODS))
    command.chmod(0o755)
    monkeypatch.setattr(cluster, "installed", lambda: str(command))
    return tmp_path


def asked(kubectl: Path) -> str:
    return (kubectl / "asked").read_text()


def test_a_pod_that_answers_is_seen_and_the_workload_is_gone_afterwards(deployed: Mock, kubectl: Path) -> None:
    assert eks.workload_answers(deployed) == "2 pods on Kubernetes v1.35.0, and one of them answered"

    assert asked(kubectl).splitlines()[-1] == "delete -f - --ignore-not-found"


def test_an_answer_of_somebody_else_is_none(deployed: Mock, kubectl: Path) -> None:
    (kubectl / "page").write_text("nginx")

    with pytest.raises(AssertionError, match="none of web-1, web-2 answered"):
        eks.workload_answers(deployed)


def test_what_does_not_start_is_removed_too(deployed: Mock, kubectl: Path) -> None:
    (kubectl / "rollout").write_text("1")

    with pytest.raises(LabError, match="rollout status deployment/web"):
        eks.workload_answers(deployed)

    assert "delete" in asked(kubectl)


def test_a_workload_that_was_there_before_is_left(deployed: Mock, kubectl: Path) -> None:
    (kubectl / "namespace").write_text("namespace/web\n")

    eks.workload_answers(deployed)

    assert "apply" in asked(kubectl)
    assert "delete" not in asked(kubectl)


def test_without_kubectl_nothing_is_claimed(deployed: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "installed", lambda: None)

    with pytest.raises(NotMadeError, match="kubectl is not installed"):
        eks.workload_answers(deployed)


def test_where_no_cluster_answers_it_is_said_how_to_have_one(
    deployed: Mock, kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "answers", lambda _: False)

    with pytest.raises(NotMadeError, match=r"tag of 1\.35.*`EKS_K3S_IMAGE=rancher/k3s:TAG lab run eks`"):
        eks.workload_answers(deployed)

    assert not (kubectl / "asked").exists()


def hybrid(deployed: Mock, *addons: str) -> None:
    """Describe a cluster in Auto Mode with a remote network and these add-ons."""
    client = deployed.client("eks")
    client.describe_cluster.return_value["cluster"] |= {
        "remoteNetworkConfig": {"remoteNodeNetworks": [{"cidrs": ["10.80.0.0/16"]}]},
        "computeConfig": {"nodePools": ["system"]},
    }
    client.list_addons.return_value = {"addons": [*addons]}
    client.list_fargate_profiles.return_value = {"fargateProfileNames": []}


def test_hybrid_nodes_without_kube_proxy_are_seen(deployed: Mock) -> None:
    hybrid(deployed, "coredns")

    with pytest.raises(AssertionError, match="hybrid nodes lack kube-proxy"):
        eks.pods_have_a_place(deployed)


def test_hybrid_nodes_with_all_that_they_need_are_well(deployed: Mock) -> None:
    hybrid(deployed, "coredns", "kube-proxy")

    assert eks.pods_have_a_place(deployed) == "Auto Mode's node pools system"


LOGGED = {
    "logging": {"clusterLogging": [{"enabled": True, "types": sorted(eks._LOG_TYPES)}]},
    "upgradePolicy": {"supportType": "STANDARD"},
    "name": "emulated",
}


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [{"logGroupName": "/aws/eks/emulated/cluster"}],
        [{"logGroupName": "/aws/eks/emulated/cluster-2", "retentionInDays": 7}],
    ],
)
def test_logs_that_never_expire_are_seen(deployed: Mock, groups: list[dict[str, Any]]) -> None:
    kept(deployed, groups)

    with pytest.raises(AssertionError, match="the logs in /aws/eks/emulated/cluster never expire"):
        eks.logs_are_on(deployed)


def test_logs_that_expire_are_well(deployed: Mock) -> None:
    kept(deployed, [{"logGroupName": "/aws/eks/emulated/cluster", "retentionInDays": 7}])

    assert eks.logs_are_on(deployed) == "5 types of logs, kept for 7 days; support STANDARD"


def kept(deployed: Mock, groups: list[dict[str, Any]]) -> None:
    """Describe a cluster with every log, and the log groups that are there."""
    client = deployed.client("eks")
    client.describe_cluster.return_value["cluster"] |= LOGGED
    logs = Mock(describe_log_groups=Mock(return_value={"logGroups": groups}))
    deployed.client = {"eks": client, "logs": logs}.__getitem__
    ordered = {"Type": "AWS::EKS::Cluster", "Properties": {"UpgradePolicy": {"SupportType": "STANDARD"}}}
    deployed.template = Mock(return_value={"Resources": {"Cluster": ordered}})


ADMIN, HYBRID, PODS_ROLE, NODES, CREATOR = (
    f"arn:aws:iam::111122223333:role/{name}" for name in ("Admin", "Hybrid", "Pods", "Nodes", "cdk-cfn-exec-role")
)
SERVICE = "arn:aws:iam::111122223333:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"


def entered(deployed: Mock, *there: str, ordered: Sequence[str] = (ADMIN, HYBRID), of_creator: bool = False) -> None:
    """Describe a cluster with entries of some, of which those of others were ordered."""
    client = deployed.client("eks")
    client.describe_cluster.return_value["cluster"] |= {
        "name": "emulated",
        "accessConfig": {"authenticationMode": "API"},
        "computeConfig": {"nodeRoleArn": NODES},
    }
    client.list_fargate_profiles.return_value = {"fargateProfileNames": ["web"]}
    client.describe_fargate_profile.return_value = {"fargateProfile": {"podExecutionRoleArn": PODS_ROLE}}
    # In pages.
    client.get_paginator("").paginate.return_value = [{"accessEntries": [principal]} for principal in there]
    cloudformation = Mock(describe_stacks=Mock(return_value={"Stacks": [{"RoleARN": CREATOR}]}))
    deployed.client = {"eks": client, "cloudformation": cloudformation}.__getitem__
    deployed.physical_ids = Mock(return_value=[f"{principal}|emulated" for principal in ordered])
    access = {"AccessConfig": {"BootstrapClusterCreatorAdminPermissions": of_creator}}
    deployed.template = Mock(
        return_value={"Resources": {"Cluster": {"Type": "AWS::EKS::Cluster", "Properties": access}}}
    )


def test_entries_that_were_ordered_and_awss_own_are_well(deployed: Mock) -> None:
    entered(deployed, ADMIN, HYBRID, PODS_ROLE, NODES, SERVICE)

    assert eks.access_is_by_entries(deployed) == "mode API, 2 entries ordered, 3 of AWS's own"


@pytest.mark.parametrize("ordered", [[], [ADMIN]])
def test_an_entry_that_nobody_ordered_is_seen(deployed: Mock, ordered: list[str]) -> None:
    entered(deployed, *ordered, NODES, "arn:aws:iam::111122223333:user/mallory", ordered=ordered)

    with pytest.raises(AssertionError, match="nobody ordered an entry for arn:aws:iam::111122223333:user/mallory"):
        eks.access_is_by_entries(deployed)


def test_whoever_made_the_cluster_is_seen(deployed: Mock) -> None:
    entered(deployed, ADMIN, HYBRID, CREATOR)

    with pytest.raises(AssertionError, match="cdk-cfn-exec-role, which made the cluster, has an entry"):
        eks.access_is_by_entries(deployed)


def test_an_entry_that_was_ordered_and_is_not_there_is_seen(deployed: Mock) -> None:
    entered(deployed, ADMIN)

    with pytest.raises(AssertionError, match=f"no entry for {HYBRID}"):
        eks.access_is_by_entries(deployed)


def test_a_template_that_makes_its_creator_an_administrator_is_seen(deployed: Mock) -> None:
    entered(deployed, ADMIN, HYBRID, of_creator=True)

    with pytest.raises(AssertionError, match="whoever makes the cluster becomes its administrator"):
        eks.access_is_by_entries(deployed)
