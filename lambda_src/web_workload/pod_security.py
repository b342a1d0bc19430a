"""The profile `restricted` of Kubernetes' Pod Security Standards, asked of manifests before any cluster is.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]
_Problem = tuple[Path, str]
_CONTEXT = "securityContext"
_TEMPLATE = ("spec", "template", "spec")
# Where each kind has its pods.
_WAYS = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"), _TEMPLATE
    ),
}

_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_SECCOMP = {"RuntimeDefault", "Localhost"}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


@dataclass(frozen=True)
class Violation:
    """Something that `restricted` refuses, and the way to it in the manifest, also where nothing is written."""

    path: Path
    text: str


def violations(manifest: Mapping[str, Any]) -> list[Violation]:
    """Name everything in the pods of ``manifest`` that `restricted` refuses; nothing if it has no pods."""
    way = _WAYS.get(manifest.get("kind", ""))
    if way is None:
        return []
    pod = _part(manifest, *way)
    found = [Violation((*way, *path), text) for path, text in _of_pod(pod)]
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for number, container in enumerate(_items(pod, kind)):
            said = f"container {container.get('name', '?')}: "
            found += [
                Violation((*way, kind, number, *path), f"{said}{text}") for path, text in _of_container(container, pod)
            ]
    return found


def _part(whole: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a part of a manifest; one that is null is not given, as Kubernetes reads it."""
    for name in names:
        whole = whole.get(name) or {}
    return whole


def _items(whole: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [item or {} for item in whole.get(name) or []]


def _of_pod(pod: Mapping[str, Any]) -> Iterator[_Problem]:
    context = _part(pod, _CONTEXT)
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield (name,), f"{name} is true: not with restricted pods"
    for number, volume in enumerate(_items(pod, "volumes")):
        for kind in volume.keys() - {"name"} - _VOLUMES:
            yield ("volumes", number, kind), f"volume {volume.get('name')} is a {kind}: {', '.join(sorted(_VOLUMES))}"
    for number, sysctl in enumerate(_items(context, "sysctls")):
        if sysctl.get("name") not in _SYSCTLS:
            yield (_CONTEXT, "sysctls", number), f"sysctl {sysctl.get('name')} is not a safe one"
    yield from _identity(context)


def _of_container(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[_Problem]:
    own = _part(container, _CONTEXT)
    said = {name: value for name, value in own.items() if value is not None}
    context = {**_part(pod, _CONTEXT), **said}
    if own.get("privileged"):
        yield (_CONTEXT, "privileged"), "privileged is true: false"
    if own.get("allowPrivilegeEscalation") is not False:
        yield (
            (_CONTEXT, "allowPrivilegeEscalation"),
            f"allowPrivilegeEscalation is {own.get('allowPrivilegeEscalation')}: false",
        )
    if context.get("runAsNonRoot") is not True:
        yield (_CONTEXT, "runAsNonRoot"), f"runAsNonRoot is {context.get('runAsNonRoot')}: true, here or in the pod"
    if _part(context, "seccompProfile").get("type") not in _SECCOMP:
        yield (
            (_CONTEXT, "seccompProfile", "type"),
            "seccompProfile is not set: RuntimeDefault or Localhost, here or in the pod",
        )
    capabilities = _part(own, "capabilities")
    if "ALL" not in (capabilities.get("drop") or []):
        yield (_CONTEXT, "capabilities", "drop"), "capabilities.drop lacks ALL"
    for number, added in enumerate(capabilities.get("add") or []):
        if added != "NET_BIND_SERVICE":
            yield (_CONTEXT, "capabilities", "add", number), f"capabilities.add has {added}: NET_BIND_SERVICE alone"
    if said.get("procMount", "Default") != "Default":
        yield (_CONTEXT, "procMount"), f"procMount is {own['procMount']}: Default"
    yield from _network(container)
    yield from _identity(own)


def _network(container: Mapping[str, Any]) -> Iterator[_Problem]:
    """What it has of the host's network, and reaches in others."""
    for number, port in enumerate(_items(container, "ports")):
        if port.get("hostPort"):
            yield ("ports", number, "hostPort"), f"hostPort is {port['hostPort']}: none"
    for handler in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"):
        for action in ("httpGet", "tcpSocket"):
            if host := _part(container, *handler.split("."), action).get("host"):
                path = (*handler.split("."), action, "host")
                yield path, f"{'.'.join(path)} is {host}: none, so that it is the pod's own"


def _identity(context: Mapping[str, Any]) -> Iterator[_Problem]:
    """Who it is for the host: what a pod and a container may say alike."""
    if context.get("runAsUser") == 0:
        yield (_CONTEXT, "runAsUser"), "runAsUser is 0: any other"
    selinux = _part(context, "seLinuxOptions")
    if (selinux.get("type") or "") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield (_CONTEXT, "seLinuxOptions"), "seLinuxOptions name a user, a role, or a type that is not a container's"
    if _part(context, "appArmorProfile").get("type", "RuntimeDefault") not in _SECCOMP:
        yield (_CONTEXT, "appArmorProfile", "type"), "appArmorProfile is Unconfined: RuntimeDefault or Localhost"
    if _part(context, "windowsOptions").get("hostProcess"):
        yield (
            (_CONTEXT, "windowsOptions", "hostProcess"),
            "windowsOptions.hostProcess is true: not with restricted pods",
        )
