"""Where the machines of a cluster come from: one module a provider, with its data center and its machines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class OsFamily(str, Enum):
    """The operating system of a machine; bare metal and Nutanix have no Bottlerocket."""

    UBUNTU = "ubuntu"
    RED_HAT = "redhat"
    BOTTLEROCKET = "bottlerocket"


@dataclass(frozen=True, kw_only=True)
class User:
    """Who logs in to a machine.

    :param name: ``ec2-user`` on Bottlerocket.
    :param ssh_authorized_keys: public keys; without any, EKS Anywhere makes a pair.
    """

    name: str
    ssh_authorized_keys: Sequence[str] = ("",)


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where machines come from."""

    kind: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What one machine is like."""

    kind: ClassVar[str]
