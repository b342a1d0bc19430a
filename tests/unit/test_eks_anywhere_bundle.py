"""The kit of a cluster without the Internet is listed: images where they are and where they go, files, commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.eks_anywhere.bundle import kit, mirrored
from lab.eks_d import releases
from lab.errors import LabError
from lab_stacks.eks_anywhere_clusters import BARE_METAL, NUTANIX, VSPHERE
from lambda_src.eks_anywhere.options import CuratedPackages, OciNamespace, RegistryMirror
from lambda_src.eks_anywhere.providers.bare_metal import BareMetal

EXAMPLE = Path(__file__).with_name("eks_anywhere_examples") / "bundle-release.yaml"


def manifest() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    return read


def older(**changes: Any) -> list[dict[str, Any]]:
    """Return a bare metal cluster of the version that the example of a bundle has."""
    provider = BareMetal(tinkerbell_ip="10.30.0.11", os_image_url="http://images.example.com/kube-1-30.gz")
    return replace(BARE_METAL, kubernetes_version="1.30", provider=provider, **changes).documents()


def test_a_cluster_that_pulls_from_the_internet_has_no_kit() -> None:
    with pytest.raises(LabError, match="factory pulls from the Internet: give it a registryMirrorConfiguration"):
        kit(VSPHERE.documents(), releases.find("1.35"))


def test_a_bundle_without_the_version_is_refused() -> None:
    with pytest.raises(LabError, match=r"The bundle has no Kubernetes 1\.35: 1\.30\."):
        kit(BARE_METAL.documents(), None, manifest())


@pytest.mark.parametrize("broken", [{"spec": []}, {"spec": {"versionsBundles": 3}}, {"spec": {"versionsBundles": [3]}}])
def test_what_has_another_shape_is_no_bundle(broken: dict[str, Any]) -> None:
    with pytest.raises(LabError, match="This is no bundle manifest"):
        kit(older(), None, broken)


@pytest.mark.parametrize("broken", [{}, {"spec": {}}])
def test_what_is_no_bundle_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(LabError, match="none"):
        kit(older(), None, broken)


def test_a_bundle_s_images_are_listed_once_with_digest_and_mirror_without_those_of_other_providers() -> None:
    images = {one.source: one for one in kit(older(), None, manifest()).images}

    assert len(images) > 40
    assert not any("cloud-provider-nutanix" in source or "vsphere" in source for source in images)
    assert any("tinkerbell" in source for source in images)
    cilium = images["public.ecr.aws/eks/cilium/cilium:v1.19.4-1"]
    assert cilium.digest == "sha256:73f9ddef28133cf9ee381d7ccda559f1a55d45e1ab99d2f9a0b2ffb22b5f22a0"
    assert cilium.mirrored == "registry.example.com:443/public/eks/cilium/cilium:v1.19.4-1"


def test_without_a_bundle_the_images_of_eks_distro_are_listed_and_that_these_are_not_all_is_said() -> None:
    made = kit(BARE_METAL.documents(), releases.find("1.35"))

    assert [one.source for one in made.images] == [image.uri for image in releases.find("1.35").images]
    assert "alone" in made.notes[0]


def test_machine_images_commands_and_passwords_are_named() -> None:
    made = kit(BARE_METAL.documents(), releases.find("1.35"))

    assert made.files == ["http://images.example.com/ubuntu-2204-kube-v1.35.gz", "http://images.example.com/hook"]
    assert made.commands[1] == "eksctl anywhere download artifacts"
    assert made.commands[-1].endswith("--src-image-registry 783794618700.dkr.ecr.us-west-2.amazonaws.com")
    assert any("REGISTRY_PASSWORD" in note for note in made.notes)
    assert any("Enterprise subscription" in note for note in made.notes)


def test_whoever_has_no_packages_copies_none() -> None:
    documents = replace(
        NUTANIX,
        registry_mirror=RegistryMirror(endpoint="registry", insecure_skip_verify=True),
        packages=CuratedPackages(disable=True),
    ).documents()

    made = kit(documents, releases.find("1.35"))

    assert not any("copy packages" in command for command in made.commands)
    assert "--insecure" in made.commands[-1]
    assert made.files == ["ubuntu-2204-kube-v1.35"] * 2


@pytest.mark.parametrize(
    ("namespaces", "address"),
    [
        ([], "r:443/eks-distro/pause:v1"),
        ([OciNamespace(registry="public.ecr.aws", namespace="a/b")], "r:443/a/b/eks-distro/pause:v1"),
        ([OciNamespace(registry="docker.io", namespace="hub")], "r:443/eks-distro/pause:v1"),
    ],
)
def test_an_image_s_address_in_the_mirror_follows_from_the_namespaces(
    namespaces: list[OciNamespace], address: str
) -> None:
    mirror = {"endpoint": "r", "ociNamespaces": [vars(one) for one in namespaces]}

    assert mirrored("public.ecr.aws/eks-distro/pause:v1", mirror) == address
