"""What a cluster may have beside machines: networks, a proxy, a mirror, GitOps, identity, packages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from lambda_src.eks_anywhere.documents import called

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cni(str, Enum):
    """The network plugin; kindnetd is for Docker alone."""

    CILIUM = "cilium"
    KINDNETD = "kindnetd"


class Effect(str, Enum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class BackendMode(str, Enum):
    """Where the AWS IAM Authenticator finds whom it maps to what."""

    EKS_CONFIG_MAP = "EKSConfigMap"
    CRD = "CRD"


@dataclass(frozen=True, kw_only=True)
class Network:
    """The networks inside a cluster, which no machine outside needs to reach.

    :param pods: one network in CIDR notation.
    :param services: another one, with no address in common.
    :param cni: the network plugin.
    :param node_mask: prefix length of each machine's part of the pods' network; kubeadm takes 24.
    """

    pods: str = "192.168.0.0/16"
    services: str = "10.96.0.0/12"
    cni: Cni = Cni.CILIUM
    node_mask: int | None = None

    def as_document(self) -> dict[str, Any]:
        """Write it as EKS Anywhere has it."""
        nodes = {} if self.node_mask is None else {"nodes": {"cidrMaskSize": self.node_mask}}
        return {
            "cniConfig": {self.cni.value: {}},
            "pods": {"cidrBlocks": [self.pods]},
            "services": {"cidrBlocks": [self.services]},
            **nodes,
        }


@dataclass(frozen=True, kw_only=True)
class Taint:
    """Keeps pods away from machines that they do not tolerate."""

    key: str
    value: str = ""
    effect: Effect = Effect.NO_SCHEDULE


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """How many machines the Cluster Autoscaler may make of a group; it is a curated package."""

    min_count: int
    max_count: int


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The way to the Internet.

    :param http_proxy: host and port, such as ``10.0.0.5:3128``.
    :param no_proxy: addresses, networks and domains that are reached without it; with Bottlerocket, the machines' own
        network has to be one of them.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/optional/proxy/
    """

    http_proxy: str
    https_proxy: str
    no_proxy: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class OciNamespace:
    """Where in the mirror the images of a registry are."""

    registry: str
    namespace: str


@dataclass(frozen=True, kw_only=True)
class RegistryMirror:
    """The registry that images are pulled from instead of AWS's: what a network without the Internet needs.

    :param endpoint: its address, without a port.
    :param oci_namespaces: each registry that is mirrored, with ``public.ecr.aws`` among them; by default only that.
    :param ca_cert_content: the certificate, in PEM form, of a private authority.
    :param authenticate: it asks for ``REGISTRY_USERNAME`` and ``REGISTRY_PASSWORD``, which are read from the
        environment of ``eksctl anywhere``, and are in no specification.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/optional/registrymirror/
    """

    endpoint: str
    port: str = "443"
    oci_namespaces: Sequence[OciNamespace] = ()
    ca_cert_content: str | None = None
    authenticate: bool = False
    insecure_skip_verify: bool = False


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """A repository of GitHub, which ``eksctl anywhere`` makes if need be, with the token in ``EKSA_GITHUB_TOKEN``."""

    owner: str
    repository: str
    personal: bool = False


@dataclass(frozen=True, kw_only=True)
class Git:
    """A repository of any Git server, which is there already.

    :param repository_url: begins with ``ssh://`` or ``https://``.
    """

    repository_url: str
    ssh_key_algorithm: str | None = None


@dataclass(frozen=True, kw_only=True)
class Flux:
    """GitOps: Flux makes of the cluster what a repository says. Give ``github`` or ``git``.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/optional/gitops/
    """

    kind: ClassVar[str] = "FluxConfig"
    github: GitHub | None = None
    git: Git | None = None
    branch: str = "main"
    cluster_config_path: str | None = None
    system_namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class RequiredClaim:
    """What a token has to say to be taken."""

    claim: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Oidc:
    """People log in with OpenID Connect.

    :param issuer_url: begins with ``https://``.
    :param required_claims: one at most.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/optional/oidc/
    """

    kind: ClassVar[str] = "OIDCConfig"
    client_id: str
    issuer_url: str
    groups_claim: str | None = None
    groups_prefix: str | None = None
    username_claim: str | None = None
    username_prefix: str | None = None
    required_claims: Sequence[RequiredClaim] = ()


@dataclass(frozen=True, kw_only=True)
class MappedRole:
    """An IAM role, and whom it is in the cluster."""

    role_arn: str = called("roleARN")
    username: str
    groups: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class MappedUser:
    """An IAM user, and whom it is in the cluster."""

    user_arn: str = called("userARN")
    username: str
    groups: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class IamAuthenticator:
    """People log in with AWS IAM.

    :param aws_region: where the roles' tokens are checked.
    :param map_roles: who is whom, with the backend ``EKS_CONFIG_MAP``; this or ``map_users``.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/optional/iamauth/
    """

    kind: ClassVar[str] = "AWSIamConfig"
    aws_region: str
    backend_mode: Sequence[BackendMode] = (BackendMode.EKS_CONFIG_MAP,)
    map_roles: Sequence[MappedRole] = ()
    map_users: Sequence[MappedUser] = ()
    partition: str = "aws"


@dataclass(frozen=True, kw_only=True)
class PackagesController:
    """Which image the controller of curated packages is, where it is not EKS Anywhere's own choice."""

    repository: str | None = None
    tag: str | None = None
    digest: str | None = None
    disable_webhooks: bool = False
    env: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class CuratedPackages:
    """Curated packages, such as Harbor or the Cluster Autoscaler.

    They need an EKS Anywhere Enterprise subscription: without one the controller runs, and pulls nothing. Who has none
    says ``disable=True``.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/optional/packages/
    """

    disable: bool = False
    controller: PackagesController | None = None


@dataclass(frozen=True, kw_only=True)
class RollingUpdate:
    """How many machines more, and of workers how many less, there are during an upgrade."""

    max_surge: int = 1
    max_unavailable: int | None = None


@dataclass(frozen=True, kw_only=True)
class UpgradeRollout:
    """How machines are replaced by newer ones."""

    rolling_update: RollingUpdate | None = None
    type: str = "RollingUpdate"
