"""The profile `restricted` of Kubernetes' Pod Security Standards, asked of manifests before any cluster is.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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


def violations(manifest: Mapping[str, Any]) -> list[str]:
    """Name everything in the pods of ``manifest`` that `restricted` refuses; nothing if it has no pods."""
    pod = _pod_of(manifest)
    if pod is None:
        return []
    found = [*_of_pod(pod)]
    for container in _containers(pod):
        name = container.get("name", "?")
        found += [f"container {name}: {problem}" for problem in _of_container(container, pod)]
    return found


def _pod_of(manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
    match manifest.get("kind"):
        case "Pod":
            return _part(manifest, "spec")
        case "PodTemplate":
            return _part(manifest, "template", "spec")
        case "CronJob":
            return _part(manifest, "spec", "jobTemplate", "spec", "template", "spec")
        case "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet" | "Job":
            return _part(manifest, "spec", "template", "spec")
    return None


def _part(whole: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a part of a manifest; one that is null is not given, as Kubernetes reads it."""
    for name in names:
        whole = whole.get(name) or {}
    return whole


def _items(whole: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [item or {} for item in whole.get(name) or []]


def _containers(pod: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return [
        container for kind in ("initContainers", "containers", "ephemeralContainers") for container in _items(pod, kind)
    ]


def _of_pod(pod: Mapping[str, Any]) -> Iterator[str]:
    context = _part(pod, "securityContext")
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield f"{name} is true: not with restricted pods"
    for volume in _items(pod, "volumes"):
        for kind in volume.keys() - {"name"} - _VOLUMES:
            yield f"volume {volume.get('name')} is a {kind}: {', '.join(sorted(_VOLUMES))}"
    for sysctl in _items(context, "sysctls"):
        if sysctl.get("name") not in _SYSCTLS:
            yield f"sysctl {sysctl.get('name')} is not a safe one"
    yield from _identity(context)


def _of_container(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[str]:
    own = _part(container, "securityContext")
    said = {name: value for name, value in own.items() if value is not None}
    context = {**_part(pod, "securityContext"), **said}
    if own.get("privileged"):
        yield "privileged is true: false"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"allowPrivilegeEscalation is {own.get('allowPrivilegeEscalation')}: false"
    if context.get("runAsNonRoot") is not True:
        yield f"runAsNonRoot is {context.get('runAsNonRoot')}: true, here or in the pod"
    if _part(context, "seccompProfile").get("type") not in _SECCOMP:
        yield "seccompProfile is not set: RuntimeDefault or Localhost, here or in the pod"
    capabilities = _part(own, "capabilities")
    if "ALL" not in (capabilities.get("drop") or []):
        yield "capabilities.drop lacks ALL"
    for added in set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield f"capabilities.add has {added}: NET_BIND_SERVICE alone"
    if said.get("procMount", "Default") != "Default":
        yield f"procMount is {own['procMount']}: Default"
    for port in _items(container, "ports"):
        if port.get("hostPort"):
            yield f"hostPort is {port['hostPort']}: none"
    for handler in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"):
        for action in ("httpGet", "tcpSocket"):
            if host := _part(container, *handler.split("."), action).get("host"):
                yield f"{handler}.{action}.host is {host}: none, so that it is the pod's own"
    yield from _identity(own)


def _identity(context: Mapping[str, Any]) -> Iterator[str]:
    """Who it is for the host: what a pod and a container may say alike."""
    if context.get("runAsUser") == 0:
        yield "runAsUser is 0: any other"
    selinux = _part(context, "seLinuxOptions")
    if (selinux.get("type") or "") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "seLinuxOptions name a user, a role, or a type that is not a container's"
    if _part(context, "appArmorProfile").get("type", "RuntimeDefault") not in _SECCOMP:
        yield "appArmorProfile is Unconfined: RuntimeDefault or Localhost"
    if _part(context, "windowsOptions").get("hostProcess"):
        yield "windowsOptions.hostProcess is true: not with restricted pods"
