"""Nutanix: virtual machines of Prism Central."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from lambda_src.eks_anywhere.documents import called
from lambda_src.eks_anywhere.providers import Machine, OsFamily, Provider, User

if TYPE_CHECKING:
    from collections.abc import Sequence


class Boot(str, Enum):
    """How a machine starts."""

    LEGACY = "legacy"
    UEFI = "uefi"


@dataclass(frozen=True, kw_only=True)
class Identifier:
    """Something of Nutanix: by its name, or by its UUID. Make it with ``named`` or ``with_uuid``."""

    type: str
    name: str | None = None
    uuid: str | None = None


def named(name: str) -> Identifier:
    """Refer to something of Nutanix by its name."""
    return Identifier(type="name", name=name)


def with_uuid(uuid: str) -> Identifier:
    """Refer to something of Nutanix by its UUID."""
    return Identifier(type="uuid", uuid=uuid)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A Kubernetes secret, by its name."""

    name: str
    kind: str = "Secret"


@dataclass(frozen=True, kw_only=True)
class Nutanix(Provider):
    """Prism Central, which has the machines.

    :param endpoint: its address.
    :param port: 1 to 65,535.
    :param additional_trust_bundle: certificates in PEM form, where a private authority signed that of Prism Central.
    :param credential_ref: the secret with user and password.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/nutanix/nutanix-spec/
    """

    kind: ClassVar[str] = "NutanixDatacenterConfig"
    endpoint: str
    port: int = 9440
    insecure: bool = False
    additional_trust_bundle: str | None = None
    credential_ref: Secret | None = None


@dataclass(frozen=True, kw_only=True)
class NutanixMachine(Machine):
    """A virtual machine of Nutanix.

    :param cluster: the Prism Element cluster that it runs on.
    :param subnet: the network that it is in.
    :param image: what it starts from, with the Kubernetes version in its name.
    :param memory_size: such as ``4Gi``.
    :param system_disk_size: such as ``40Gi``.
    :param vcpu_sockets: 1 or more.
    :param vcpus_per_socket: 1 or more.
    """

    kind: ClassVar[str] = "NutanixMachineConfig"
    cluster: Identifier
    subnet: Identifier
    image: Identifier
    os_family: OsFamily = OsFamily.UBUNTU
    memory_size: str = "4Gi"
    system_disk_size: str = "40Gi"
    vcpu_sockets: int = 2
    vcpus_per_socket: int = called("vcpusPerSocket", default=1)
    boot_type: Boot | None = None
    users: Sequence[User] = ()
    project: Identifier | None = None
