"""Restricted Pod Security, asked of manifests: what is taken, and every control that refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lambda_src.web_workload.pod_security import violations

GOOD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "good"},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "web",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    },
}


def with_pod(**changes: Any) -> dict[str, Any]:
    pod = copy.deepcopy(GOOD)
    pod["spec"].update(changes)
    return pod


def with_context(**changes: Any) -> dict[str, Any]:
    pod = copy.deepcopy(GOOD)
    pod["spec"]["securityContext"].update(changes)
    return pod


def with_container(**changes: Any) -> dict[str, Any]:
    pod = copy.deepcopy(GOOD)
    pod["spec"]["containers"][0].update(changes)
    return pod


def with_container_context(**changes: Any) -> dict[str, Any]:
    pod = copy.deepcopy(GOOD)
    pod["spec"]["containers"][0]["securityContext"].update(changes)
    return pod


BAD = [
    (with_pod(hostNetwork=True), "hostNetwork is true"),
    (with_pod(hostPID=True), "hostPID is true"),
    (with_pod(hostIPC=True), "hostIPC is true"),
    (with_pod(volumes=[{"name": "host", "hostPath": {"path": "/"}}]), "volume host is a hostPath"),
    (with_pod(volumes=[{"name": "disk", "nfs": {}}]), "volume disk is a nfs"),
    (with_context(sysctls=[{"name": "kernel.msgmax", "value": "1"}]), "sysctl kernel.msgmax is not a safe one"),
    (with_context(runAsNonRoot=False), "container web: runAsNonRoot is False"),
    (with_context(runAsUser=0), "runAsUser is 0"),
    (with_context(seccompProfile={"type": "Unconfined"}), "container web: seccompProfile is not set"),
    (with_context(seLinuxOptions={"type": "spc_t"}), "seLinuxOptions name"),
    (with_context(appArmorProfile={"type": "Unconfined"}), "appArmorProfile is Unconfined"),
    (with_context(windowsOptions={"hostProcess": True}), "windowsOptions.hostProcess is true"),
    (with_container_context(privileged=True), "container web: privileged is true"),
    (with_container_context(allowPrivilegeEscalation=None), "container web: allowPrivilegeEscalation is None"),
    (with_container_context(capabilities={}), "container web: capabilities.drop lacks ALL"),
    (with_container_context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), "capabilities.add has SYS_ADMIN"),
    (with_container_context(procMount="Unmasked"), "container web: procMount is Unmasked"),
    (with_container_context(runAsUser=0), "container web: runAsUser is 0"),
    (with_container(ports=[{"hostPort": 80}]), "container web: hostPort is 80"),
    (
        with_container(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}),
        "container web: livenessProbe.httpGet.host is 169.254.169.254",
    ),
    (
        with_container(lifecycle={"preStop": {"tcpSocket": {"host": "db", "port": 80}}}),
        "container web: lifecycle.preStop.tcpSocket.host is db",
    ),
]


def test_a_pod_that_asks_for_nothing_is_taken() -> None:
    assert violations(GOOD) == []


def test_what_a_container_says_goes_before_what_the_pod_says() -> None:
    pod = with_context(runAsNonRoot=False)
    pod["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] = True

    assert violations(pod) == []


@pytest.mark.parametrize(("manifest", "said"), BAD, ids=[said for _, said in BAD])
def test_it_refuses(manifest: dict[str, Any], said: str) -> None:
    [found] = violations(manifest)

    assert said in found.text


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"])
def test_pods_are_found_in_what_makes_them(kind: str) -> None:
    assert violations({"kind": kind, "spec": {"template": {"spec": with_pod(hostPID=True)["spec"]}}})


def test_pods_of_a_cron_job_are_found_too() -> None:
    template = {"spec": with_pod(hostPID=True)["spec"]}

    assert violations({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}})


def test_pods_of_a_template_are_found_too() -> None:
    assert violations({"kind": "PodTemplate", "template": {"spec": with_pod(hostPID=True)["spec"]}})


def test_a_probe_of_the_pod_itself_is_taken() -> None:
    assert violations(with_container(readinessProbe={"httpGet": {"path": "/", "port": 80, "host": ""}})) == []


def test_what_is_null_is_not_given() -> None:
    pod = with_container_context(runAsNonRoot=None, seccompProfile=None, procMount=None, seLinuxOptions={"type": None})

    assert violations(pod) == []
    assert violations({"kind": "CronJob", "spec": {"jobTemplate": None}}) == []
    assert violations(with_pod(volumes=[None], initContainers=None)) == []


def test_what_has_no_pods_has_no_violations() -> None:
    assert violations({"kind": "Service", "spec": {"ports": [{"port": 80}]}}) == []


@pytest.mark.parametrize(
    ("manifest", "path"),
    [
        (with_pod(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", "nfs": {}}]), ("volumes", 1, "nfs")),
        (with_context(runAsUser=0), ("securityContext", "runAsUser")),
        (with_container(ports=[{"hostPort": 80}]), ("containers", 0, "ports", 0, "hostPort")),
        (
            with_container(lifecycle={"preStop": {"tcpSocket": {"host": "db", "port": 80}}}),
            ("containers", 0, "lifecycle", "preStop", "tcpSocket", "host"),
        ),
        (
            with_container_context(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "SYS_ADMIN"]}),
            ("containers", 0, "securityContext", "capabilities", "add", 1),
        ),
    ],
)
def test_it_says_where(manifest: dict[str, Any], path: tuple[str | int, ...]) -> None:
    [found] = violations(manifest)

    assert found.path == ("spec", *path)


def test_the_way_to_a_pod_is_of_what_makes_it() -> None:
    job = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": with_pod(hostPID=True)["spec"]}}}}}

    [found] = violations(job)

    assert found.path == ("spec", "jobTemplate", "spec", "template", "spec", "hostPID")


def test_init_containers_count() -> None:
    pod = with_pod(initContainers=[{"name": "first"}])

    assert [found for found in violations(pod) if found.text.startswith("container first")]
