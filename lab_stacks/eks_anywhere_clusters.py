"""Clusters of Amazon EKS Anywhere, one for each provider: what a team keeps instead of YAML.

``lab eks-anywhere render vsphere`` writes one as the file that ``eksctl anywhere create cluster -f`` takes.
"""

from __future__ import annotations

from lambda_src.eks_anywhere.cluster import Cluster, ControlPlane, Etcd, WorkerGroup
from lambda_src.eks_anywhere.options import (
    Autoscaling,
    CuratedPackages,
    Flux,
    GitHub,
    IamAuthenticator,
    MappedRole,
    OciNamespace,
    Oidc,
    Proxy,
    RegistryMirror,
)
from lambda_src.eks_anywhere.providers import OsFamily, User
from lambda_src.eks_anywhere.providers.bare_metal import BareMetal, BareMetalMachine
from lambda_src.eks_anywhere.providers.docker import Docker
from lambda_src.eks_anywhere.providers.nutanix import Nutanix, NutanixMachine, Secret, named
from lambda_src.eks_anywhere.providers.vsphere import VSphere, VSphereMachine
from lambda_src.eks_anywhere.specification import Site

KUBERNETES = "1.35"

#: For a laptop: no machine to describe, and no subscription.
DOCKER = Cluster(
    name="laptop",
    kubernetes_version=KUBERNETES,
    provider=Docker(),
    control_plane=ControlPlane(count=1),
    workers=[WorkerGroup(count=1)],
    packages=CuratedPackages(disable=True),
)

_SMALL = VSphereMachine(
    datastore="/hall/datastore/ssd",
    folder="/hall/vm/eks-anywhere",
    resource_pool="/hall/host/main/Resources/eks-anywhere",
    os_family=OsFamily.UBUNTU,
    template=f"/hall/vm/templates/ubuntu-2204-kube-v{KUBERNETES}",
    users=[User(name="capv")],
)
#: For production: etcd apart, GitOps, people who log in by their directory or by AWS IAM.
VSPHERE = Cluster(
    name="factory",
    kubernetes_version=KUBERNETES,
    eksa_version="v0.26.0",
    provider=VSphere(server="vcenter.example.com", datacenter="hall", network="/hall/network/machines"),
    control_plane=ControlPlane(count=3, host="10.20.0.10", machine=_SMALL),
    etcd=Etcd(count=3, machine=_SMALL),
    workers=[WorkerGroup(count=3, machine=_SMALL, autoscaling=Autoscaling(min_count=3, max_count=9))],
    flux=Flux(github=GitHub(owner="example-org", repository="clusters")),
    identity=[
        Oidc(client_id="factory", issuer_url="https://login.example.com", groups_claim="groups"),
        IamAuthenticator(
            aws_region="us-east-1",
            map_roles=[
                MappedRole(
                    role_arn="arn:aws:iam::111122223333:role/Operators", username="operator", groups=["system:masters"]
                )
            ],
        ),
    ],
    site=Site(network="10.20.0.0/22", dhcp_range=("10.20.1.0", "10.20.3.250")),
)

#: Without the Internet: everything comes from a registry inside, and what leaves goes by a proxy.
BARE_METAL = Cluster(
    name="warehouse",
    kubernetes_version=KUBERNETES,
    eksa_version="v0.26.0",
    provider=BareMetal(
        tinkerbell_ip="10.30.0.11",
        os_image_url=f"http://images.example.com/ubuntu-2204-kube-v{KUBERNETES}.gz",
        hook_images_url_path="http://images.example.com/hook",
    ),
    control_plane=ControlPlane(
        count=3,
        host="10.30.0.10",
        machine=BareMetalMachine(hardware_selector={"type": "control-plane"}, users=[User(name="ec2-user")]),
    ),
    workers=[
        WorkerGroup(
            count=2, machine=BareMetalMachine(hardware_selector={"type": "worker"}, users=[User(name="ec2-user")])
        )
    ],
    registry_mirror=RegistryMirror(
        endpoint="registry.example.com",
        oci_namespaces=[
            OciNamespace(registry="public.ecr.aws", namespace="public"),
            OciNamespace(registry="783794618700.dkr.ecr.us-west-2.amazonaws.com", namespace="packages"),
        ],
        authenticate=True,
    ),
    proxy=Proxy(http_proxy="10.30.0.5:3128", https_proxy="10.30.0.5:3128", no_proxy=["10.30.0.0/22", ".example.com"]),
    site=Site(network="10.30.0.0/22", dhcp_range=("10.30.1.0", "10.30.3.250")),
)

_HYPERCONVERGED = NutanixMachine(
    cluster=named("nx-1"),
    subnet=named("machines"),
    image=named(f"ubuntu-2204-kube-v{KUBERNETES}"),
    users=[User(name="eksa")],
)
#: A cluster that another one manages.
NUTANIX = Cluster(
    name="branch",
    kubernetes_version=KUBERNETES,
    eksa_version="v0.26.0",
    management_cluster="factory",
    provider=Nutanix(endpoint="prism.example.com", credential_ref=Secret(name="nutanix-credentials")),
    control_plane=ControlPlane(count=3, host="10.40.0.10", machine=_HYPERCONVERGED),
    workers=[WorkerGroup(count=2, machine=_HYPERCONVERGED)],
    site=Site(network="10.40.0.0/23", dhcp_range=("10.40.0.100", "10.40.1.250")),
)

CLUSTERS = {"docker": DOCKER, "vsphere": VSPHERE, "bare-metal": BARE_METAL, "nutanix": NUTANIX}
