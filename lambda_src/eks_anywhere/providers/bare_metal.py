"""Bare metal: machines of a list of hardware, which Tinkerbell starts over the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lambda_src.eks_anywhere.documents import called
from lambda_src.eks_anywhere.providers import Machine, OsFamily, Provider, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class BareMetal(Provider):
    """Hardware that Tinkerbell starts.

    :param tinkerbell_ip: address of Tinkerbell's services, which nothing else has.
    :param os_image_url: where the machines' operating system is fetched from, with the Kubernetes version in its name.
    :param hook_images_url_path: where the system that installs is fetched from, for a network without the Internet.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/baremetal/bare-spec/
    """

    kind: ClassVar[str] = "TinkerbellDatacenterConfig"
    tinkerbell_ip: str = called("tinkerbellIP")
    os_image_url: str | None = called("osImageURL", default=None)
    hook_images_url_path: str | None = called("hookImagesURLPath", default=None)


@dataclass(frozen=True, kw_only=True)
class BareMetalMachine(Machine):
    """A machine that is in the list of hardware.

    :param hardware_selector: the one label in that list by which it is chosen, such as ``{"type": "worker"}``.
    """

    kind: ClassVar[str] = "TinkerbellMachineConfig"
    hardware_selector: Mapping[str, str]
    os_family: OsFamily = OsFamily.UBUNTU
    users: Sequence[User] = ()
