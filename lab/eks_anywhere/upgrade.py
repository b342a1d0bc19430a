"""The ordered steps from one version of a cluster to another, each of which leaves a specification that can be."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lambda_src.eks_anywhere import rules
from lambda_src.eks_anywhere.crds import kubernetes_versions
from lambda_src.eks_anywhere.rules.machines import BARE_METAL, DOCKER
from lambda_src.eks_anywhere.rules.versions import RELEASE, eksa_minor, minor
from lambda_src.eks_anywhere.specification import Document, Site, Specification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Where a document names the image that its machines start from.
_IMAGES = {
    "VSphereMachineConfig": ("template",),
    "TinkerbellDatacenterConfig": ("osImageURL",),
    "TinkerbellMachineConfig": ("osImageURL",),
    "NutanixMachineConfig": ("image", "name"),
}
# So many minor versions may workers be older than their control plane, since Kubernetes 1.28.
_WORKERS_BEHIND = 3


class By(str, Enum):
    """Who makes of the cluster what the specification says."""

    CLI = "cli"
    FLUX = "flux"


@dataclass(frozen=True)
class Change:
    """A field of the specification that a step gives another value."""

    document: str
    field: str
    before: str | None
    after: str

    def __str__(self) -> str:
        return f"{self.document}: {self.field}: {self.before or '(nothing)'} -> {self.after}"


@dataclass(frozen=True)
class Step:
    """One thing to do, and to wait for, before the next."""

    title: str
    changes: Sequence[Change] = ()
    commands: Sequence[str] = ()
    needs: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints for it."""
        return {
            "title": self.title,
            "needs": self.needs,
            "changes": [vars(change) for change in self.changes],
            "commands": list(self.commands),
        }


@dataclass
class Plan:
    """The steps of an upgrade, and the specification that is there after the last of them."""

    file: str
    documents: list[Document]
    by: By
    steps: list[Step] = field(default_factory=list)

    @property
    def cluster(self) -> Document:
        """Return the cluster's own document."""
        return next(document for document in self.documents if document.get("kind") == "Cluster")

    @property
    def name(self) -> str:
        """Return the cluster's name."""
        return str(self.cluster["metadata"]["name"])

    @property
    def manager(self) -> str:
        """Return the name of the cluster that manages this one, which may be itself."""
        return str(self.cluster["spec"].get("managementCluster", {}).get("name") or self.name)

    @property
    def provider(self) -> str:
        """Return the kind of the data center."""
        return str(self.cluster["spec"]["datacenterRef"]["kind"])


def plan(
    file: str,
    documents: Sequence[Document],
    *,
    kubernetes: str | None = None,
    eks_anywhere: str | None = None,
    now: str | None = None,
    by: By = By.CLI,
) -> Plan:
    """Find the way from what a specification says to the versions that are wanted.

    :param documents: a specification in which nothing is wrong.
    :param kubernetes: the version to reach, such as ``1.36``; by default it stays.
    :param eks_anywhere: the version to reach, such as ``v0.26.1``; by default the oldest that has ``kubernetes``.
    :param now: the EKS Anywhere that made the cluster, where the specification does not say.
    :raises UsageError: where there is no way, saying why.
    """
    made = Plan(file, copy.deepcopy([*documents]), by)
    spec = made.cluster["spec"]
    release = spec.get("eksaVersion") or now
    if release is None:
        raise UsageError(
            "The specification names no eksaVersion: say which EKS Anywhere made the cluster, --from v0.25."
        )
    target = kubernetes or str(spec["kubernetesVersion"])
    here, there = eksa_minor(release), _minor_to_reach(eksa_minor(release), eks_anywhere, target)
    _require_way(spec, here, there, target)
    made.steps.append(_back_up(made))
    version = str(spec["kubernetesVersion"])
    while (here, version) != (there, target):
        following = _after(here)
        if here != there and version in kubernetes_versions()[following]:
            _bring_workers(made, version, here, who=lambda one: one not in kubernetes_versions()[following])  # noqa: B023
            here = following
            wanted = eks_anywhere if here == there and eks_anywhere else here
            _upgrade_eks_anywhere(made, f"v{wanted.removeprefix('v')}")
        else:
            behind = minor(version) + 1 - _WORKERS_BEHIND
            _bring_workers(made, version, here, who=lambda one: minor(one) < behind)  # noqa: B023
            version = f"1.{minor(version) + 1}"
            _upgrade_kubernetes(made, version, here)
    _bring_workers(made, target, here, who=lambda one: one != target)
    if len(made.steps) == 1:
        raise UsageError(f"{made.name} is at Kubernetes {version} and EKS Anywhere {here} already: nothing to do.")
    return made


def _minor_to_reach(here: str, wanted: str | None, kubernetes: str) -> str:
    known = kubernetes_versions()
    if here not in known:
        raise UsageError(f"EKS Anywhere {here} is none that is known here: {', '.join(known)}.")
    if wanted is None:
        fitting = [one for one in _ascending(here) if kubernetes in known[one]]
        if not fitting:
            raise UsageError(
                f"No EKS Anywhere from {here} on has Kubernetes {kubernetes}: {known[here][-1]} to "
                f"{next(iter(known.values()))[0]}."
            )
        return fitting[0]
    there = eksa_minor(wanted)
    if RELEASE.fullmatch(wanted) is None and re.fullmatch(r"v?\d+\.\d+", wanted) is None:
        raise UsageError(f"--eks-anywhere {wanted}: a release such as v0.26.1, or a minor version such as 0.26.")
    if there not in known:
        raise UsageError(f"EKS Anywhere {there} is none that is known here: {', '.join(known)}.")
    if there not in _ascending(here):
        raise UsageError(f"From EKS Anywhere {here} to {there} is no upgrade, and nothing else is possible.")
    return there


def _require_way(spec: Document, here: str, there: str, target: str) -> None:
    """Refuse what no order of steps makes possible."""
    known = kubernetes_versions()
    try:
        at, to = minor(str(spec["kubernetesVersion"])), minor(target)
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    if to < at:
        raise UsageError(f"From Kubernetes 1.{at} to {target} is no upgrade, and nothing else is possible.")
    if target not in known[there]:
        raise UsageError(f"EKS Anywhere {there} has no Kubernetes {target}: {known[there][-1]} to {known[there][0]}.")
    for release in _ascending(here):
        if at > minor(known[release][0]):
            raise UsageError(f"EKS Anywhere {release} has no Kubernetes 1.{at}, which the cluster is at.")
        if release == there:
            break


def _ascending(first: str) -> list[str]:
    """Return the minor versions of EKS Anywhere from one on, the oldest first."""
    oldest_first = [*kubernetes_versions()][::-1]
    return oldest_first[oldest_first.index(first) :]


def _after(release: str) -> str:
    return next(iter(_ascending(release)[1:]), release)


def _back_up(made: Plan) -> Step:
    return Step(
        f"Back {made.name} up: etcd, and the volumes of its workloads",
        needs="Have the new versions tried on a cluster that nobody depends on. No upgrade can be taken back.",
    )


def _upgrade_eks_anywhere(made: Plan, release: str) -> None:
    spec = made.cluster["spec"]
    exact = RELEASE.fullmatch(release) is not None
    called = release if exact else f"{release}.0, or its newest patch"
    value = release if exact else f"{release}.0"
    mirror = spec.get("registryMirrorConfiguration")
    if made.manager != made.name:
        made.steps.append(
            Step(
                f"Upgrade {made.manager}, which manages {made.name}, to EKS Anywhere {called}",
                needs=f"A cluster that is managed is never newer than what manages it: plan {made.manager} first.",
            )
        )
    else:
        made.steps.append(
            Step(
                f"Install eksctl anywhere {called} on the admin machine",
                commands=["eksctl anywhere version", *(_mirrored() if mirror else [])],
                needs="The images have to be in the registry mirror before anything pulls them." if mirror else "",
            )
        )
        made.steps.append(
            Step(
                f"Upgrade the management components of {made.name} to EKS Anywhere {called}",
                [_set(made.cluster, ("spec", "eksaVersion"), value)],
                [
                    f"eksctl anywhere upgrade plan management-components -f {made.file}",
                    f"eksctl anywhere upgrade management-components -f {made.file}",
                ],
                needs="By the CLI alone, also where Flux does everything else. No machine is replaced.",
            )
        )
    changes = [_set(made.cluster, ("spec", "eksaVersion"), value)] if made.manager != made.name else []
    _applied(made, f"Upgrade {made.name} itself to EKS Anywhere {called}", changes, _needs(made))
    _require_possible(made, value)


def _upgrade_kubernetes(made: Plan, version: str, release: str) -> None:
    before = str(made.cluster["spec"]["kubernetesVersion"])
    changes = [_set(made.cluster, ("spec", "kubernetesVersion"), version)]
    pinned = _images_of_pinned_workers(made)
    for document in made.documents:
        if document["metadata"]["name"] not in pinned:
            changes += _other_image(document, before, version)
    needs = _needs(made)
    if any(change.field != "spec.kubernetesVersion" for change in changes):
        needs = f"Images of machines with Kubernetes {version} in them, under the names below. {needs}"
    _applied(made, f"Upgrade {made.name} to Kubernetes {version}, control plane first", changes, needs)
    _require_possible(made, release)


def _bring_workers(made: Plan, target: str, release: str, *, who: Callable[[str], bool]) -> None:
    """Raise those groups that have a version of their own which is one to raise now."""
    for group in made.cluster["spec"].get("workerNodeGroupConfigurations", []):
        if "kubernetesVersion" in group and who(str(group["kubernetesVersion"])):
            _upgrade_workers(made, group, target, release)


def _upgrade_workers(made: Plan, group: Document, target: str, release: str) -> None:
    """Raise a group one minor version at a time."""
    while group["kubernetesVersion"] != target:
        before = str(group["kubernetesVersion"])
        version = f"1.{minor(before) + 1}"
        group["kubernetesVersion"] = version
        name = group.get("name", "md-0")
        changes = [
            Change(
                f"Cluster {made.name}", f"spec.workerNodeGroupConfigurations {name}.kubernetesVersion", before, version
            )
        ]
        reference = group.get("machineGroupRef", {}).get("name")
        for document in made.documents:
            if document["metadata"]["name"] == reference:
                changes += _other_image(document, before, version)
        _applied(made, f"Upgrade the workers {name} to Kubernetes {version}", changes, _needs(made))
        _require_possible(made, release)


def _applied(made: Plan, title: str, changes: Sequence[Change], needs: str) -> None:
    kubeconfig = f"{made.manager}/{made.manager}-eks-a-cluster.kubeconfig"
    if made.by is By.FLUX:
        path = f"clusters/{made.manager}/{made.name}/eksa-system/eksa-cluster.yaml"
        commands = [
            f"$EDITOR {path}",
            f"lab eks-anywhere validate {path}",
            f"git commit -m '{title}' {path} && git push",
            f"kubectl wait clusters.anywhere.eks.amazonaws.com/{made.name} --for=condition=Ready --timeout=2h "
            f"--kubeconfig {kubeconfig}",
        ]
    else:
        managed = f" --kubeconfig {kubeconfig}" if made.manager != made.name else ""
        commands = [
            f"lab eks-anywhere validate {made.file}",
            f"eksctl anywhere upgrade plan cluster -f {made.file}{managed}",
            f"eksctl anywhere upgrade cluster -f {made.file}{managed} --no-timeouts",
        ]
    made.steps.append(Step(title, list(changes), commands, needs.strip()))


def _needs(made: Plan) -> str:
    spec = made.cluster["spec"]
    if made.provider == DOCKER:
        return ""
    groups = spec.get("workerNodeGroupConfigurations", [])
    if made.provider == BARE_METAL:
        return f"{1 + len(groups)} spare machines: one for the control plane, and one for each group of workers."
    surge = max((_surge(group) for group in [spec["controlPlaneConfiguration"], *groups]), default=0)
    free = 1 + int(spec.get("externalEtcdConfiguration", {}).get("count", 0)) + surge
    return f"{free} free addresses of DHCP, for the machines that take over from others."


def _surge(group: Document) -> int:
    return int(group.get("upgradeRolloutStrategy", {}).get("rollingUpdate", {}).get("maxSurge", 0))


def _mirrored() -> Iterator[str]:
    yield "eksctl anywhere download artifacts && tar -xvf eks-anywhere-downloads.tar.gz"
    yield "eksctl anywhere download images -o images.tar"
    yield (
        'eksctl anywhere import images -i images.tar -r "$REGISTRY_MIRROR_URL" '
        "--bundles ./eks-anywhere-downloads/bundle-release.yaml"
    )


def _images_of_pinned_workers(made: Plan) -> set[str]:
    """Name the machines whose group has a Kubernetes version of its own, and so stays as it is."""
    groups = made.cluster["spec"].get("workerNodeGroupConfigurations", [])
    return {group.get("machineGroupRef", {}).get("name") for group in groups if "kubernetesVersion" in group}


def _other_image(document: Document, before: str, version: str) -> list[Change]:
    path = _IMAGES.get(document["kind"])
    image = document.get("spec", {})
    for key in path or ():
        image = image.get(key) if isinstance(image, dict) else None
    if path is None or not isinstance(image, str):
        return []
    for join in (".", "-", "_", ""):
        if before.replace(".", join) in image:
            return [
                _set(document, ("spec", *path), image.replace(before.replace(".", join), version.replace(".", join)))
            ]
    return []


def _set(document: Document, path: Sequence[str], value: str) -> Change:
    *way, last = path
    place = document
    for key in way:
        place = place[key]
    before, place[last] = place.get(last), value
    return Change(f"{document['kind']} {document['metadata']['name']}", ".".join(path), before, value)


def _require_possible(made: Plan, release: str) -> None:
    """Ask the rules of what a step leaves, so that no plan leads to what EKS Anywhere refuses half-way."""
    wrong = rules.problems(Specification(made.documents, Site(eksa_version=eksa_minor(release))))
    if wrong:
        raise UsageError(f"After the step {made.steps[-1].title!r} the specification could not be: {wrong[0]}")
