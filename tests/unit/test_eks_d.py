"""Releases of EKS Distro are listed, read from manifests, compared, held against a cluster, and configured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from lab.cli import app
from lab.eks_d import comparison, configuration, releases
from lab.eks_d.comparison import Verdict
from lab.eks_d.image_names import ImageName
from lab.eks_d.releases import Component, Image, Release
from lab.errors import LabError, UsageError
from lambda_src.eks_anywhere.crds import kubernetes_versions

MANIFEST = Path(__file__).with_name("eks_d_examples") / "kubernetes-1-21-eks-4.yaml"
DIGEST = f"sha256:{'a' * 64}"
_HOSTS = "/etc/containerd/certs.d/public.ecr.aws/hosts.toml"
WITH_DIGEST = Release(
    "1-36", 7, [Component("etcd", "v3", [Image("public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-7", DIGEST)])]
)


def run(*words: str, status: int = 0, stdin: str = "") -> str:
    done = CliRunner().invoke(app, ["eks-d", *words], input=stdin)
    assert done.exit_code == status, (done.output, done.exception)
    return done.stdout


@pytest.mark.parametrize("version", ["1.99", "1-36-eks-99", "v1-18"])
def test_a_release_that_is_not_here_is_refused_with_those_that_are(version: str) -> None:
    with pytest.raises(UsageError, match=r"v1-36-eks-7.*--manifest FILE"):
        releases.find(version)


@pytest.mark.parametrize("version", ["", "1", "36", "1.36.2", "latest"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match="is no version"):
        releases.find(version)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is no YAML"),
        ("", "is no release manifest"),
        ("- a", "is no release manifest"),
        ("apiVersion: anywhere.eks.amazonaws.com/v1alpha1\nkind: Release", "of kind Release"),
        ("apiVersion: distro.eks.amazonaws.com/v1alpha1\nkind: Release\nspec: {channel: 1-36}", "KeyError"),
    ],
)
def test_what_is_no_manifest_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        releases.read(text, "m.yaml")


def test_every_supported_channel_has_its_two_newest_releases() -> None:
    assert {one.channel for one in releases.pinned()} == {
        version.replace(".", "-") for version in kubernetes_versions()["0.26"]
    }
    assert len(releases.pinned()) == 14
    for release in releases.pinned():
        assert all(image.tag.endswith(f"-eks-{release.channel}-{release.number}") for image in release.images)
        assert {"kube-apiserver", "etcd", "coredns", "pause"} <= {one.name for one in release.components}


@pytest.mark.parametrize("version", ["1.36", "1-36", "v1-36-eks-7", "1-36-7", "kubernetes-1-36-eks-7"])
def test_a_release_is_found_however_it_is_written(version: str) -> None:
    assert releases.find(version).name == "v1-36-eks-7"


def test_a_manifest_has_images_and_archives_with_their_sums() -> None:
    read = releases.read(MANIFEST.read_text(), MANIFEST.name)

    assert (read.name, len(read.components), len(read.images)) == ("v1-21-eks-4", 12, 17)
    [archive] = [
        one
        for component in read.components
        for one in component.archives
        if one.uri.endswith("cni-plugins-linux-arm64-v0.8.7.tar.gz")
    ]
    assert archive.sha256 == "01b694df8ac776cf5424c4ea98a2558a692cc47304c8f3f6b6f1112fc878350e"


def test_the_digests_of_a_manifest_are_read() -> None:
    document = yaml.safe_load(MANIFEST.read_text())
    document["status"]["components"][0]["assets"][0]["image"]["imageDigest"] = DIGEST

    assert releases.read(json.dumps(document), "m").images[0].digest == DIGEST


def test_releases_are_compared_by_the_versions_of_their_components() -> None:
    old, new = releases.find("1-36"), releases.read(MANIFEST.read_text(), "m")
    found = {one.component: one for one in comparison.compare(new, old)}

    assert comparison.compare(old, old) == []
    assert (found["etcd"].before, found["etcd"].after) == ("v3.4.16", "v3.6.12")
    assert (found["metrics-server"].before, found["metrics-server"].after) == ("v0.5.0", None)


@pytest.mark.parametrize(
    ("image", "verdict"),
    [
        ("public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-7", Verdict.OF_THE_RELEASE),
        (f"public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-7@{DIGEST}", Verdict.OF_THE_RELEASE),
        (f"public.ecr.aws/eks-distro/etcd-io/etcd@{DIGEST}", Verdict.OF_THE_RELEASE),
        (f"public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-7@sha256:{'b' * 64}", Verdict.CHANGED),
        (f"public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-6@sha256:{'b' * 64}", Verdict.OTHER_RELEASE),
        ("public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-6", Verdict.OTHER_RELEASE),
        ("mirror.example.com:5000/a/b/eks-distro/etcd-io/etcd:v3-eks-1-36-7", Verdict.OF_THE_RELEASE),
        (f"localhost/eks-distro/etcd-io/etcd:v3-eks-1-36-7@{DIGEST}", Verdict.OF_THE_RELEASE),
        (f"[::1]:5000/eks-distro/etcd-io/etcd@{DIGEST}", Verdict.OF_THE_RELEASE),
        ("eks-distro/etcd-io/etcd:v3-eks-1-36-7", Verdict.OF_THE_RELEASE),
        (f"public.ecr.aws/eks-distro/etcd-io/etcd@sha256:{'b' * 64}", Verdict.OTHER_RELEASE),
        ("public.ecr.aws:443/eks-distro/etcd-io/etcd", Verdict.OTHER_RELEASE),
        ("public.ecr.aws:443/eks-distro/etcd-io/etcd:latest", Verdict.OTHER_RELEASE),
        ("docker.io/library/nginx:1", Verdict.UNKNOWN),
        ("nginx", Verdict.UNKNOWN),
        ("library/nginx:1.29", Verdict.UNKNOWN),
        (f"nginx@{DIGEST}", Verdict.UNKNOWN),
        ("mirror.example.com/my-etcd-io/etcd:v3-eks-1-36-7", Verdict.UNKNOWN),
    ],
)
def test_an_image_is_told_from_that_of_another_release(image: str, verdict: Verdict) -> None:
    [checked] = comparison.check([image, image], WITH_DIGEST)

    assert checked.verdict is verdict


@pytest.mark.parametrize(
    ("image", "verdict"),
    [
        ("public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-7", Verdict.OF_THE_RELEASE),
        (f"public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-7@{DIGEST}", Verdict.UNTOLD),
        (f"public.ecr.aws/eks-distro/etcd-io/etcd@{DIGEST}", Verdict.UNTOLD),
        (f"public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-6@{DIGEST}", Verdict.OTHER_RELEASE),
    ],
)
def test_a_digest_is_not_vouched_for_without_that_of_the_release(image: str, verdict: Verdict) -> None:
    [checked] = comparison.check(
        [image],
        Release("1-36", 7, [Component("etcd", "v3", [Image("public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-7")])]),
    )

    assert checked.verdict is verdict


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "Nginx",
        "nginx:",
        "nginx@",
        "nginx@sha256:0",
        ":1",
        "a//b",
        "registry.example.com:port/a",
        "registry.example.com/",
        "https://registry.example.com/a",
        f"a/{'b' * 254}",
        f"nginx:{'1' * 129}",
        DIGEST,
        "a" * 64,
    ],
)
def test_what_is_no_name_of_an_image_is_none(text: str) -> None:
    assert ImageName.parse(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nginx", ImageName("docker.io", "library/nginx")),
        ("library/nginx", ImageName("docker.io", "library/nginx")),
        ("docker.io/nginx", ImageName("docker.io", "library/nginx")),
        ("nginx:1.29", ImageName("docker.io", "library/nginx", "1.29")),
        ("me/nginx:1", ImageName("docker.io", "me/nginx", "1")),
        ("localhost/nginx:1", ImageName("localhost", "nginx", "1")),
        ("localhost:5000/nginx", ImageName("localhost:5000", "nginx")),
        ("Registry/nginx", ImageName("Registry", "nginx")),
        ("r.example.com:5000/a/b__c/d-e:1", ImageName("r.example.com:5000", "a/b__c/d-e", "1")),
        (f"[::1]:5000/a:1@{DIGEST}", ImageName("[::1]:5000", "a", "1", DIGEST)),
        (f"r.example.com:5000/a@{DIGEST}", ImageName("r.example.com:5000", "a", None, DIGEST)),
    ],
)
def test_a_name_of_an_image_is_taken_apart(text: str, name: ImageName) -> None:
    assert ImageName.parse(text) == name


def test_images_are_read_from_lines_pods_and_nodes() -> None:
    pods = {"items": [{"spec": {"initContainers": [{"image": "a/b:1"}], "containers": [{"image": "a/c:1"}]}}]}
    nodes = {"items": [{"status": {"images": [{"names": ["a/d@sha256:0", "a/d:1"]}, {"names": []}]}}]}

    assert comparison.images_of("# mine\na/b:1\n\na/c:1\n", "f") == ["a/b:1", "a/c:1"]
    assert comparison.images_of(json.dumps(pods), "f") == ["a/b:1", "a/c:1"]
    assert comparison.images_of(json.dumps(nodes), "f") == ["a/d:1"]


def test_what_a_node_calls_by_tag_and_by_digest_is_one_image_and_what_only_has_an_id_is_none() -> None:
    nodes = {"items": [{"status": {"images": [{"names": [f"x/d@{DIGEST}", f"a/d@{DIGEST}", "a/d:1"]}, {}]}}]}
    pods = {"items": [{"spec": {"containers": [{"image": "nginx"}]}, "status": {"statuses": [{"image": DIGEST}]}}]}

    assert comparison.images_of(json.dumps(nodes), "f") == [f"a/d:1@{DIGEST}"]
    assert comparison.images_of(json.dumps(pods), "f") == ["nginx"]
    assert comparison.images_of("nginx\nlibrary/nginx:1\n", "f") == ["nginx", "library/nginx:1"]


def pod(kind: str, image_id: str, *, named: str = "public.ecr.aws/eks-distro/etcd-io/etcd:v3-eks-1-36-7") -> str:
    """Return what `kubectl get pods -o json` prints of a pod with one container of a kind."""
    status = {"name": "etcd", "image": named, "imageID": image_id}
    spec = {f"{kind[0].lower()}{kind[1:]}s": [{"name": "etcd", "image": named}]}
    return json.dumps({"items": [{"kind": "Pod", "spec": spec, "status": {f"{kind}Statuses": [status]}}]})


@pytest.mark.parametrize("kind", ["container", "initContainer", "ephemeralContainer"])
@pytest.mark.parametrize("prefix", ["", "docker-pullable://"])
def test_another_image_under_the_tag_of_the_release_is_seen_in_what_pods_run(kind: str, prefix: str) -> None:
    tampered, whole = (
        comparison.check(
            comparison.images_of(pod(kind, f"{prefix}public.ecr.aws/eks-distro/etcd-io/etcd@{digest}"), "f"),
            WITH_DIGEST,
        )
        for digest in (f"sha256:{'b' * 64}", DIGEST)
    )

    assert [one.verdict for one in tampered] == [Verdict.CHANGED]
    assert [one.verdict for one in whole] == [Verdict.OF_THE_RELEASE]


@pytest.mark.parametrize("image_id", ["", DIGEST, f"docker://{DIGEST}", "a" * 64])
def test_a_container_that_does_not_run_yet_or_has_only_an_id_goes_by_its_name(image_id: str) -> None:
    assert comparison.images_of(pod("container", image_id, named="nginx:1"), "f") == ["nginx:1"] * 2


def test_what_one_pod_runs_is_said_of_no_other_and_a_digest_that_was_asked_for_stays() -> None:
    running = json.loads(pod("container", f"a/b@{DIGEST}", named="a/b:1"))["items"]
    waiting = {"spec": {"containers": [{"name": "etcd", "image": "a/b:2"}]}, "status": {"phase": "Pending"}}
    asked = json.loads(pod("container", f"a/b@{DIGEST}", named=f"a/b@sha256:{'b' * 64}"))["items"]
    deployment = {"spec": {"template": running[0]}, "status": {"replicas": 1}}

    found = dict.fromkeys(comparison.images_of(json.dumps([*running, waiting, *asked, deployment]), "f"))

    assert [*found] == [f"a/b:1@{DIGEST}", "a/b:2", f"a/b@sha256:{'b' * 64}"]


@pytest.mark.parametrize(("text", "said"), [("", "names no image"), ("{}", "names no image"), ("a b", "'a b' is no")])
def test_what_names_no_images_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        comparison.images_of(text, "f")


def test_kubeadm_pulls_every_image_of_the_release_from_the_mirror() -> None:
    text = configuration.kubeadm(releases.find("1.36"), endpoint="cp:6443", mirror="r.example.com:5000/public")
    cluster, kubelet = yaml.safe_load_all(text)

    assert cluster["apiVersion"] == "kubeadm.k8s.io/v1beta4"
    assert cluster["kubernetesVersion"] == "v1.36.2-eks-1-36-7"
    assert cluster["controlPlaneEndpoint"] == "cp:6443"
    # kubeadm adds the name of the image to each of these.
    assert cluster["imageRepository"] == "r.example.com:5000/public/eks-distro/kubernetes"
    assert cluster["dns"] == {
        "imageRepository": "r.example.com:5000/public/eks-distro/coredns",
        "imageTag": "v1.14.3-eks-1-36-7",
    }
    assert cluster["etcd"]["local"]["imageRepository"] == "r.example.com:5000/public/eks-distro/etcd-io"
    assert kubelet["cgroupDriver"] == "systemd"
    assert "v1beta3" in configuration.kubeadm(releases.find("1.30"))


def test_containerd_has_the_pause_image_and_the_mirror() -> None:
    config, hosts = configuration.containerd(releases.find("1.36"), "r.example.com/public").values()

    assert 'sandbox_image = "r.example.com/public/eks-distro/kubernetes/pause:v1.36.2-eks-1-36-7"' in config
    assert '[host."https://r.example.com/v2/public"]' in hosts
    assert "override_path = true" in hosts
    assert "override_path" not in configuration.containerd(releases.find("1.36"), "r.example.com")[_HOSTS]
    assert [*configuration.containerd(releases.find("1.36"))] == ["/etc/containerd/config.toml"]


@pytest.mark.parametrize("mirror", ["https://r.example.com", "r example", 'r"\n[x]', ""])
def test_what_is_no_mirror_is_refused(mirror: str) -> None:
    with pytest.raises(UsageError, match="a registry, and a path"):
        configuration.containerd(releases.find("1.36"), mirror)


def test_a_release_that_lacks_an_image_configures_nothing() -> None:
    with pytest.raises(LabError, match="has no image kubernetes/kube-apiserver"):
        configuration.kubeadm(WITH_DIGEST)


def test_the_commands_print_for_a_person_and_for_a_program(tmp_path: Path) -> None:
    listed: dict[str, Any] = json.loads(run("release", "--manifest", str(MANIFEST), "--json"))
    assert listed["name"] == "v1-21-eks-4"
    assert "v1.36.2-eks-1-36-7" in run("release", "--version", "1.36")
    assert json.loads(run("compare", str(MANIFEST), "1.36", "--json"))["after"] == "v1-36-eks-7"
    assert "kubernetesVersion: v1.36.2-eks-1-36-7" in run("render", "kubeadm", "--version", "1.36")
    assert "sandbox_image" in run("render", "containerd", "--version", "1.36")
    images = tmp_path / "images"
    images.write_text("public.ecr.aws/eks-distro/etcd-io/etcd:v1\n")
    assert "of another release" in run("check", str(images), "--version", "1.36", status=1)
    good = releases.find("1.36").images[0].uri
    assert (
        "with --manifest FILE"
        in CliRunner().invoke(app, ["eks-d", "check", "-", "--version", "1.36"], input=f"{good}@{DIGEST}").stderr
    )
    assert json.loads(run("check", "-", "--version", "1.36", "--json", stdin=good))["images"][0]["image"] == good


@pytest.mark.parametrize("words", [[], ["--version", "1.36", "--manifest", "m"], ["--manifest", "nowhere.yaml"]])
def test_a_command_that_names_no_release_is_refused(words: list[str]) -> None:
    done = CliRunner().invoke(app, ["eks-d", "release", *words])

    assert isinstance(done.exception, UsageError)
