"""What the types can express, EKS Anywhere takes; what cannot be, they refuse; what is corrupted, is found."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.eks_anywhere.validation import validate
from lab_stacks.eks_anywhere_clusters import BARE_METAL, CLUSTERS, DOCKER, NUTANIX, VSPHERE
from lambda_src.eks_anywhere import options
from lambda_src.eks_anywhere.cluster import ControlPlane, Etcd, InvalidSpecificationError, WorkerGroup
from lambda_src.eks_anywhere.providers.bare_metal import BareMetalMachine
from lambda_src.eks_anywhere.specification import Site
from tests.unit.eks_anywhere_clusters import clusters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_src.eks_anywhere.cluster import Cluster

OPEN = {"labels", "hardwareSelector"}  # their keys are anybody's


@settings(max_examples=25, deadline=None)
@given(clusters())
def test_whatever_the_types_can_express_is_valid(cluster: Cluster) -> None:
    assert validate(cluster.as_yaml()).findings == []


@settings(max_examples=25, deadline=None)
@given(clusters(), st.data())
def test_a_random_corruption_is_found_in_its_document(cluster: Cluster, data: st.DataObject) -> None:
    documents = copy.deepcopy(cluster.documents())
    index = data.draw(st.integers(0, len(documents) - 1))
    container, key, closed = data.draw(st.sampled_from([*places(documents[index])]))
    if closed:
        container["surprise"] = 1
    else:
        container[key] = {"surprise": container[key]}

    findings = validate(yaml.safe_dump_all(documents, sort_keys=False)).findings

    assert index in {finding.problem.document for finding in findings}
    assert all(finding.line > 1 for finding in findings)


def places(part: Any, *, is_open: bool = False) -> Iterator[tuple[Any, Any, bool]]:
    """Yield each object that takes no other fields, and each scalar, as what it is in and under which key."""
    pairs = part.items() if isinstance(part, dict) else enumerate(part)
    if isinstance(part, dict) and not is_open:
        yield part, None, True
    for key, value in pairs:
        if isinstance(value, dict | list):
            yield from places(value, is_open=key in OPEN)
        elif key not in {"apiVersion", "kind"}:
            yield part, key, False


def test_what_is_written_is_what_was_specified() -> None:
    assert [*yaml.safe_load_all(VSPHERE.as_yaml())] == VSPHERE.documents()
    assert [document["kind"] for document in VSPHERE.documents()] == [
        "Cluster",
        "VSphereDatacenterConfig",
        *["VSphereMachineConfig"] * 3,
        "FluxConfig",
        "OIDCConfig",
        "AWSIamConfig",
    ]


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_version_is_quoted_so_that_it_stays_a_text(name: str) -> None:
    assert "kubernetesVersion: '1.35'" in CLUSTERS[name].as_yaml()


REFUSED: dict[str, tuple[Cluster, dict[str, Any], str]] = {
    "even control plane": (VSPHERE, {"etcd": None, "control_plane": replace(VSPHERE.control_plane, count=4)}, "even"),
    "no control plane": (VSPHERE, {"control_plane": replace(VSPHERE.control_plane, count=0)}, "1 machine or more"),
    "even etcd": (VSPHERE, {"etcd": replace(VSPHERE.etcd, count=2)}, "externalEtcdConfiguration.count: 2 is even"),
    "etcd on bare metal": (BARE_METAL, {"etcd": Etcd(machine=BARE_METAL.workers[0].machine)}, "bare metal has etcd"),
    "workers without machines": (DOCKER, {"workers": [WorkerGroup(count=0)]}, "0 machines are no group"),
    "no workers": (DOCKER, {"workers": []}, "only bare metal does without"),
    "two groups of one name": (DOCKER, {"workers": [WorkerGroup(), WorkerGroup()]}, "the name of two groups"),
    "machines not described": (NUTANIX, {"workers": [WorkerGroup()]}, "names none: give the kind"),
    "another provider's machine": (
        VSPHERE,
        {"workers": [WorkerGroup(machine=BareMetalMachine(hardware_selector={"type": "worker"}))]},
        "TinkerbellMachineConfig does not go here",
    ),
    "unknown Kubernetes": (DOCKER, {"kubernetes_version": "1.99"}, "has no Kubernetes 1.99: 1.30 to 1.36"),
    "Kubernetes with a patch": (DOCKER, {"kubernetes_version": "1.35.2"}, "without a patch"),
    "versions that do not go together": (DOCKER, {"eksa_version": "v0.22.0"}, "EKS Anywhere 0.22 has no Kubernetes"),
    "no release": (DOCKER, {"eksa_version": "0.26"}, "write it as v0.26.1"),
    "workers newer than the control plane": (DOCKER, {"workers": [WorkerGroup(kubernetes_version="1.36")]}, "1.32 to"),
    "workers too old": (DOCKER, {"workers": [WorkerGroup(kubernetes_version="1.31")]}, "does not go with a control"),
    "address of DHCP": (VSPHERE, {"site": Site(dhcp_range=("10.20.0.2", "10.20.0.20"))}, "DHCP gives 10.20.0.2"),
    "address outside the network": (VSPHERE, {"site": Site(network="10.99.0.0/24")}, "not in the machines' network"),
    "address of a pod": (VSPHERE, {"network": options.Network(pods="10.20.0.0/16")}, "network of the pods"),
    "networks that overlap": (DOCKER, {"network": options.Network(pods="10.96.0.0/16")}, "addresses in common"),
    "no network": (DOCKER, {"network": options.Network(pods="everywhere")}, "'everywhere' is no network"),
    "network too small": (DOCKER, {"network": options.Network(pods="192.168.0.0/25")}, "no room for a /24"),
    "kindnetd elsewhere": (VSPHERE, {"network": options.Network(cni=options.Cni.KINDNETD)}, "kindnetd is for Docker"),
    "no proxy's address": (
        DOCKER,
        {"proxy": options.Proxy(http_proxy="10.0.0.256:1", https_proxy="proxy")},
        "a host and a port",
    ),
    "no port": (DOCKER, {"registry_mirror": options.RegistryMirror(endpoint="r", port="https")}, "is no port"),
    "Flux without a repository": (DOCKER, {"flux": options.Flux()}, "exactly one of github and git"),
    "two of one kind": (
        DOCKER,
        {"identity": [options.Oidc(client_id="a", issuer_url="https://a.example.com")] * 2},
        "a cluster has one of a kind",
    ),
    "issuer without https": (
        DOCKER,
        {"identity": [options.Oidc(client_id="a", issuer_url="http://a.example.com")]},
        "no https URL",
    ),
    "nobody mapped": (DOCKER, {"identity": [options.IamAuthenticator(aws_region="eu-west-1")]}, "maps nobody"),
    "controller of a managed cluster": (
        NUTANIX,
        {"packages": options.CuratedPackages(controller=options.PackagesController(tag="v1"))},
        "factory manages this cluster",
    ),
    "one address for two": (
        BARE_METAL,
        {"control_plane": replace(BARE_METAL.control_plane, host="10.30.0.11")},
        "10.30.0.11 is the control plane's",
    ),
    "image of another Kubernetes": (NUTANIX, {"kubernetes_version": "1.34"}, "does not say that Kubernetes 1.34"),
    "upgraded in place": (
        VSPHERE,
        {
            "control_plane": replace(
                VSPHERE.control_plane, upgrade_rollout_strategy=options.UpgradeRollout(type="InPlace")
            )
        },
        "only bare metal is upgraded in place",
    ),
    "name of a host": (DOCKER, {"name": "1-laptop"}, "is no name for a cluster"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_cluster_that_cannot_be_is_refused(case: str) -> None:
    cluster, changes, said = REFUSED[case]

    with pytest.raises(InvalidSpecificationError, match=f"cluster {changes.get('name', cluster.name)}:") as refused:
        replace(cluster, **changes)

    assert said in str(refused.value)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidSpecificationError) as refused:
        replace(DOCKER, kubernetes_version="1.2", control_plane=ControlPlane(count=2, host="10.0.0.1"))

    assert len(str(refused.value).splitlines()) == 4


def test_an_even_control_plane_is_taken_where_etcd_is_elsewhere() -> None:
    assert replace(VSPHERE, control_plane=replace(VSPHERE.control_plane, count=2)).control_plane.count == 2
