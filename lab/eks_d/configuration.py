"""What makes containerd and kubeadm use the images of a release of EKS Distro."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError

if TYPE_CHECKING:
    from lab.eks_d.releases import Image, Release

REGISTRY = "public.ecr.aws"
_MIRROR = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?(/[a-z0-9._/-]+)?")


def containerd(release: Release, mirror: str | None = None) -> dict[str, str]:
    """Write containerd's files: its configuration, and with a mirror, where that is.

    :param mirror: a registry and a path in it, such as ``registry.example.com:5000/public``.
    """
    pause = _at(release.image("kubernetes/pause"), mirror)
    config = "/etc/containerd/config.toml"
    lines = [
        f"# {release.name}: the pause container of EKS Distro, and the cgroup driver that kubelet uses",
        "version = 2",
        "",
        '[plugins."io.containerd.grpc.v1.cri"]',
        f'  sandbox_image = "{pause}"',
        "",
        '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]',
        '  runtime_type = "io.containerd.runc.v2"',
        "",
        '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]',
        "  SystemdCgroup = true",
        "",
        '[plugins."io.containerd.grpc.v1.cri".registry]',
        '  config_path = "/etc/containerd/certs.d"',
        "",
    ]
    files = {config: "\n".join(lines)}
    if mirror is not None:
        host, slash, path = _checked(mirror).partition("/")
        # With a path, containerd asks the mirror under /v2/PATH for what it would ask the registry under /v2.
        server, override = (
            (f"https://{host}/v2/{path}", "  override_path = true\n") if slash else (f"https://{host}", "")
        )
        files[f"/etc/containerd/certs.d/{REGISTRY}/hosts.toml"] = (
            f'server = "https://{REGISTRY}"\n\n[host."{server}"]\n  capabilities = ["pull", "resolve"]\n{override}'
        )
    return files


def kubeadm(release: Release, *, endpoint: str | None = None, mirror: str | None = None) -> str:
    """Write kubeadm's configuration, as ``kubeadm init --config FILE`` takes it.

    :param endpoint: host and port of the control plane, for more than one machine of it.
    """
    import yaml  # noqa: PLC0415 - not for `lab --help`

    api_server = release.image("kubernetes/kube-apiserver")
    minor = int(release.channel.partition("-")[2])
    cluster: dict[str, Any] = {
        # kubeadm 1.31 brought v1beta4.
        "apiVersion": f"kubeadm.k8s.io/{'v1beta4' if minor >= 31 else 'v1beta3'}",
        "kind": "ClusterConfiguration",
        "kubernetesVersion": api_server.tag,
        "imageRepository": _repository(api_server, mirror),
        "dns": _image(release.image("coredns/coredns"), mirror),
        "etcd": {"local": {**_image(release.image("etcd-io/etcd"), mirror), "dataDir": "/var/lib/etcd"}},
    }
    if endpoint is not None:
        cluster["controlPlaneEndpoint"] = endpoint
    kubelet = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
        "rotateCertificates": True,
    }
    return str(yaml.safe_dump_all([cluster, kubelet], sort_keys=False, explicit_start=True))


def _image(image: Image, mirror: str | None) -> dict[str, str]:
    return {"imageRepository": _repository(image, mirror), "imageTag": image.tag}


def _repository(image: Image, mirror: str | None) -> str:
    return _at(image, mirror).rpartition("/")[0]


def _at(image: Image, mirror: str | None) -> str:
    return image.uri if mirror is None else f"{_checked(mirror)}/{image.uri.partition('/')[2]}"


def _checked(mirror: str) -> str:
    if _MIRROR.fullmatch(mirror) is None:
        raise UsageError(f"--mirror {mirror}: a registry, and a path in it if need be: registry.example.com/public.")
    return mirror
