"""What a cluster may have: a network plugin, a proxy, a registry mirror, GitOps, packages, and how it is upgraded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_src.eks_anywhere.rules.addresses import is_host
from lambda_src.eks_anywhere.rules.machines import BARE_METAL, DOCKER, refers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_src.eks_anywhere.specification import Place, Problem, Specification

_PROXY = re.compile(
    r"(https?://)?(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})"
)


def cni(specification: Specification) -> Iterator[Problem]:
    """Exactly one plugin; kindnetd is Docker's."""
    for cluster in specification.clusters:
        spec = cluster["spec"]
        network = spec["clusterNetwork"]
        config, old = network["cniConfig"], network["cni"]
        chosen = sorted(config.value or {})
        if old.value and config.value is not None:
            yield old.is_wrong("cni", "cniConfig is given too: leave cni out, which is the old way to say it")
        elif not old.value and len(chosen) != 1:
            named = " and ".join(chosen) or "none"
            yield config.is_wrong("cni", f"{named}: exactly one network plugin, such as `cilium: {{}}`")
        elif old.value and old.value not in {"cilium", "kindnetd"}:
            yield old.is_wrong("cni", f"{old.value} is no network plugin of EKS Anywhere: cilium")
        if "kindnetd" in (old.value, *chosen) and spec["datacenterRef"]["kind"].value != DOCKER:
            yield network.is_wrong("cni", "kindnetd is for Docker alone: take cilium")


def proxy(specification: Specification) -> Iterator[Problem]:
    """Both proxies, as host and port."""
    for cluster in specification.clusters:
        given = cluster["spec"]["proxyConfiguration"]
        for name in ("httpProxy", "httpsProxy") if given.value is not None else ():
            found = _PROXY.fullmatch(given[name].value or "")
            if found is None or not 1 <= int(found["port"]) <= 65_535 or not is_host(found["host"]):
                yield given[name].is_wrong("proxy", f"{given[name].value!r}: a host and a port, such as 10.0.0.5:3128")


def registry_mirror(specification: Specification) -> Iterator[Problem]:
    """A host, a port, and what is mirrored."""
    for cluster in specification.clusters:
        mirror = cluster["spec"]["registryMirrorConfiguration"]
        if mirror.value is None:
            continue
        if not mirror["endpoint"].value:
            yield mirror["endpoint"].is_wrong("registry-mirror", "names no registry: its address, without a port")
        port = mirror["port"]
        if port.value is not None and not (port.value.isdecimal() and 1 <= int(port.value) <= 65_535):
            yield port.is_wrong("registry-mirror", f"{port.value!r} is no port: 1 to 65535, in quotation marks")
        for mapped in mirror["ociNamespaces"].items:
            if not mapped["registry"].value:
                yield mapped["registry"].is_wrong("registry-mirror", "names no registry, such as public.ecr.aws")


def gitops(specification: Specification) -> Iterator[Problem]:
    """The repository that Flux follows."""
    for cluster in specification.clusters:
        reference = cluster["spec"]["gitOpsRef"]
        if reference.value is not None:
            yield from refers(specification, cluster, reference, {"FluxConfig", "GitOpsConfig"})
    for flux in specification.of_kind("FluxConfig"):
        spec = flux["spec"]
        where = [name for name in ("github", "git") if spec[name].value is not None]
        if len(where) != 1:
            yield spec.is_wrong("gitops", f"{' and '.join(where) or 'no repository'}: exactly one of github and git")
        if "github" in where:
            yield from _github(spec["github"])
        if "git" in where and re.match(r"(ssh|https)://", spec["git"]["repositoryUrl"].value) is None:
            yield spec["git"]["repositoryUrl"].is_wrong("gitops", "a URL that begins with ssh:// or https://")

    for old in specification.of_kind("GitOpsConfig"):
        yield from _github(old["spec"]["flux"]["github"])


def packages(specification: Specification) -> Iterator[Problem]:
    """A management cluster runs the packages controller for all."""
    for cluster in specification.clusters:
        manager = cluster["spec"]["managementCluster"]["name"].value
        if manager in (None, "", cluster["metadata"]["name"].value):
            continue
        for name in ("controller", "cronjob"):
            configured = cluster["spec"]["packages"][name]
            if configured.value is not None:
                yield configured.is_wrong("packages", f"{manager} manages this cluster, and runs it: leave this out")


def rollout(specification: Specification) -> Iterator[Problem]:
    """A rolling update has to be able to replace a machine; only bare metal is upgraded in place."""
    for cluster in specification.clusters:
        spec = cluster["spec"]
        on_bare_metal = spec["datacenterRef"]["kind"].value == BARE_METAL
        control_plane = spec["controlPlaneConfiguration"]["upgradeRolloutStrategy"]
        surge = control_plane["rollingUpdate"]["maxSurge"]
        if surge.value is not None and surge.value not in {0, 1}:
            yield surge.is_wrong("rollout", f"{surge.value}: 0 or 1 for a control plane")
        groups = [group["upgradeRolloutStrategy"] for group in spec["workerNodeGroupConfigurations"].items]
        for strategy in (control_plane, *groups):
            yield from _strategy(strategy, on_bare_metal)
        for rolling in (group["rollingUpdate"] for group in groups):
            most = rolling["maxSurge"].value, rolling["maxUnavailable"].value
            if rolling.value is not None and (most == (0, 0) or min(most) < 0):
                yield rolling.is_wrong("rollout", "maxSurge and maxUnavailable: 0 or more, and one of them 1 or more")


def _github(repository: Place) -> Iterator[Problem]:
    for name in ("owner", "repository"):
        if not repository[name].value:
            yield repository[name].is_wrong("gitops", f"names no {name}")


def _strategy(strategy: Place, on_bare_metal: bool) -> Iterator[Problem]:
    kind = strategy["type"]
    if kind.value not in {None, "", "RollingUpdate", "InPlace"}:
        yield kind.is_wrong("rollout", f"{kind.value} is no strategy: RollingUpdate, or InPlace on bare metal")
    if kind.value == "InPlace" and not on_bare_metal:
        yield kind.is_wrong("rollout", "only bare metal is upgraded in place: say RollingUpdate")
    if kind.value == "InPlace" and strategy["rollingUpdate"].value is not None:
        yield strategy["rollingUpdate"].is_wrong("rollout", "nothing rolls when machines are upgraded in place")
