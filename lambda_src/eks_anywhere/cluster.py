"""A cluster of EKS Anywhere: control plane, etcd, workers, and everything else that its documents say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from lambda_src.eks_anywhere import rules
from lambda_src.eks_anywhere.documents import as_value, document
from lambda_src.eks_anywhere.options import Network
from lambda_src.eks_anywhere.specification import Document, Site, Specification

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_src.eks_anywhere.options import (
        Autoscaling,
        CuratedPackages,
        Flux,
        IamAuthenticator,
        Oidc,
        Proxy,
        RegistryMirror,
        Taint,
        UpgradeRollout,
    )
    from lambda_src.eks_anywhere.providers import Machine, Provider


class InvalidSpecificationError(ValueError):
    """A cluster is impossible as it is specified; the message names everything that is wrong."""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The machines that Kubernetes itself runs on, which are the customer's to operate.

    :param count: machines: odd, or with external etcd any number.
    :param host: address of the API server, which nothing else has and DHCP does not give away; none in Docker.
    :param machine: what each is like; none in Docker.
    """

    count: int = 3
    host: str | None = None
    machine: Machine | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Taint] = ()
    cert_sans: Sequence[str] = ()
    upgrade_rollout_strategy: UpgradeRollout | None = None


@dataclass(frozen=True, kw_only=True)
class Etcd:
    """Machines for etcd alone; without them it is on the control plane.

    :param count: members: odd.
    :param machine: what each is like; none in Docker.
    """

    count: int = 3
    machine: Machine | None = None


@dataclass(frozen=True, kw_only=True)
class WorkerGroup:
    """Machines that workloads run on, all alike.

    :param name: its own in the cluster.
    :param count: machines, 1 or more; with ``autoscaling`` how many there are at first.
    :param machine: what each is like; none in Docker.
    :param kubernetes_version: older than the control plane's, by three minor versions at most; its own by default.
    """

    name: str = "md-0"
    count: int = 3
    machine: Machine | None = None
    kubernetes_version: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Taint] = ()
    autoscaling: Autoscaling | None = None
    upgrade_rollout_strategy: UpgradeRollout | None = None


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster outside AWS, as ``eksctl anywhere create cluster -f FILE`` takes it.

    What cannot be is refused when it is written down: the same rules that ``lab eks-anywhere validate`` asks of
    anybody's file. What the documents do not say but the rules can use is ``site``.

    :param name: 1 to 35 letters, digits and ``-``, a letter first.
    :param kubernetes_version: such as ``1.36``, one that the EKS Anywhere version has.
    :param provider: where the machines come from.
    :param workers: groups of worker machines; only bare metal does without.
    :param etcd: etcd on machines of its own; not on bare metal.
    :param eksa_version: such as ``v0.26.1``; by default that of the ``eksctl anywhere`` that is used.
    :param management_cluster: name of the cluster that manages this one; by default it manages itself.
    :param identity: how people log in: one of each kind at most.
    :param packages: curated packages, which need an Enterprise subscription.
    :param service_account_issuer: https URL that pods' tokens are checked at, for IAM roles for service accounts.
    :param site: the machines' network and what DHCP gives away there.
    :raises ValueError: naming everything that is wrong.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/
    """

    name: str
    kubernetes_version: str
    provider: Provider
    control_plane: ControlPlane = ControlPlane()
    workers: Sequence[WorkerGroup] = (WorkerGroup(),)
    etcd: Etcd | None = None
    network: Network = field(default_factory=Network)
    namespace: str = "default"
    eksa_version: str | None = None
    management_cluster: str | None = None
    flux: Flux | None = None
    identity: Sequence[Oidc | IamAuthenticator] = ()
    proxy: Proxy | None = None
    registry_mirror: RegistryMirror | None = None
    packages: CuratedPackages | None = None
    service_account_issuer: str | None = None
    site: Site = field(default_factory=Site)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        wrong = rules.problems(Specification(self.documents(), self.site))
        if wrong:
            raise InvalidSpecificationError(f"cluster {self.name}:\n  " + "\n  ".join(map(str, wrong)))

    def documents(self) -> list[Document]:
        """Write the documents: the cluster, its data center, its machines, and whatever it refers to."""
        parts: list[tuple[str, Any]] = [(self.name, self.provider)]
        parts += [(name, machine) for name, machine in self._machines().items() if machine is not None]
        parts += [(self.name, one) for one in (self.flux, *self.identity) if one is not None]
        return [
            document("Cluster", self.name, self.namespace, self._spec()),
            *(document(part.kind, name, self.namespace, part) for name, part in parts),
        ]

    def as_yaml(self) -> str:
        """Write the documents as the file that ``eksctl anywhere`` takes."""
        return str(yaml.safe_dump_all(self.documents(), sort_keys=False, explicit_start=True, width=120))

    def _machines(self) -> dict[str, Machine | None]:
        made = {f"{self.name}-cp": self.control_plane.machine}
        if self.etcd is not None:
            made[f"{self.name}-etcd"] = self.etcd.machine
        return {**made, **{f"{self.name}-{group.name}": group.machine for group in self.workers}}

    def _spec(self) -> dict[str, Any]:
        given: dict[str, Any] = {
            "kubernetesVersion": self.kubernetes_version,
            "eksaVersion": self.eksa_version,
            "managementCluster": {"name": self.management_cluster or self.name},
            "datacenterRef": {"kind": self.provider.kind, "name": self.name},
            "clusterNetwork": self.network.as_document(),
            "controlPlaneConfiguration": self._control_plane(),
            "externalEtcdConfiguration": self.etcd and self._group(self.etcd, f"{self.name}-etcd"),
            "workerNodeGroupConfigurations": [
                self._group(group, f"{self.name}-{group.name}", autoscaling="autoscalingConfiguration")
                for group in self.workers
            ],
            "gitOpsRef": self.flux and {"kind": self.flux.kind, "name": self.name},
            "identityProviderRefs": [{"kind": one.kind, "name": self.name} for one in self.identity] or None,
            "proxyConfiguration": self.proxy,
            "registryMirrorConfiguration": self.registry_mirror,
            "packages": self.packages,
            "podIamConfig": self.service_account_issuer and {"serviceAccountIssuer": self.service_account_issuer},
        }
        return {name: as_value(value) for name, value in given.items() if value is not None}

    def _control_plane(self) -> dict[str, Any]:
        made = self._group(self.control_plane, f"{self.name}-cp")
        host = made.pop("host", None)
        return made if host is None else {**made, "endpoint": {"host": host}}

    def _group(self, group: ControlPlane | Etcd | WorkerGroup, machine: str, **renamed: str) -> dict[str, Any]:
        """Write a group of machines, which refers to what describes them."""
        made: dict[str, Any] = {renamed.get(name, name): value for name, value in as_value(group).items()}
        made.pop("machine", None)
        if group.machine is not None:
            made["machineGroupRef"] = {"kind": group.machine.kind, "name": machine}
        return made
