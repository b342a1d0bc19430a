"""VMware vSphere: machines are clones of a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lambda_src.eks_anywhere.documents import called
from lambda_src.eks_anywhere.providers import Machine, OsFamily, Provider, User

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class VSphere(Provider):
    """A data center of vSphere.

    :param server: vCenter's address, without a scheme.
    :param datacenter: its name there.
    :param network: path of the network that the machines are in, where DHCP gives them addresses.
    :param thumbprint: of the certificate of vCenter, where the machines do not trust who signed it.
    :param insecure: take any certificate; for trying things out.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/vsphere/vsphere-spec/
    """

    kind: ClassVar[str] = "VSphereDatacenterConfig"
    server: str
    datacenter: str
    network: str
    thumbprint: str = ""
    insecure: bool = False


@dataclass(frozen=True, kw_only=True)
class VSphereMachine(Machine):
    """A virtual machine of vSphere.

    :param datastore: path of what its disk is in.
    :param folder: path of the folder that it is in.
    :param resource_pool: path of the pool that it takes processors and memory from.
    :param template: path of the template, with the Kubernetes version in its name; by default EKS Anywhere imports
        Bottlerocket's.
    :param num_cpus: processors.
    :param memory_mib: memory in MiB.
    :param disk_gib: disk in GiB.
    :param storage_policy_name: of the policy for its disk.
    :param tags: ids of vSphere's tags.
    """

    kind: ClassVar[str] = "VSphereMachineConfig"
    datastore: str
    folder: str
    resource_pool: str
    os_family: OsFamily = OsFamily.BOTTLEROCKET
    template: str | None = None
    num_cpus: int = called("numCPUs", default=2)
    memory_mib: int = called("memoryMiB", default=8192)
    disk_gib: int = called("diskGiB", default=25)
    users: Sequence[User] = ()
    storage_policy_name: str | None = None
    tags: Sequence[str] = ()
