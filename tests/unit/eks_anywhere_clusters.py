"""Any cluster that the types can express: what hypothesis draws from."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lambda_src.eks_anywhere import options
from lambda_src.eks_anywhere.cluster import Cluster, ControlPlane, Etcd, WorkerGroup
from lambda_src.eks_anywhere.crds import kubernetes_versions
from lambda_src.eks_anywhere.providers import OsFamily, User
from lambda_src.eks_anywhere.providers.bare_metal import BareMetal, BareMetalMachine
from lambda_src.eks_anywhere.providers.docker import Docker
from lambda_src.eks_anywhere.providers.nutanix import Boot, Nutanix, NutanixMachine, Secret, named, with_uuid
from lambda_src.eks_anywhere.providers.vsphere import VSphere, VSphereMachine

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True)
# Whatever YAML might take for something else: numbers, booleans, dates, nothing, comments, and characters of its own.
TEXTS = st.one_of(
    st.sampled_from(
        ["1.30", "on", "no", "null", "~", "2026-01-01", "0x10", "1e3", "a: b", "# no", "- x", "'", "", "é"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
)
ODD = st.sampled_from([1, 3, 5])
USERS = st.builds(User, name=NAMES, ssh_authorized_keys=st.lists(TEXTS, max_size=2)).map(lambda user: [user])
LABELS = st.dictionaries(NAMES, TEXTS, max_size=2)
IDENTIFIERS = st.one_of(NAMES.map(named), st.uuids().map(str).map(with_uuid))


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    release = draw(st.sampled_from([one for one in kubernetes_versions() if one >= "0.18"]))
    version = draw(st.sampled_from(kubernetes_versions()[release]))
    provider, machine = draw(st.sampled_from([_docker, _vsphere, _bare_metal, _nutanix]))(draw, version)
    in_docker, on_metal = isinstance(provider, Docker), isinstance(provider, BareMetal)
    etcd = draw(st.one_of(st.none(), st.builds(Etcd, count=ODD, machine=machine()))) if not on_metal else None
    count = draw(ODD if etcd is None else st.integers(1, 6))
    return Cluster(
        name=draw(NAMES),
        kubernetes_version=version,
        eksa_version=f"v{release}.{draw(st.integers(0, 9))}",
        provider=provider,
        control_plane=ControlPlane(
            count=count,
            host=None if in_docker else f"10.20.0.{draw(st.integers(20, 200))}",
            machine=draw(machine()),
            labels=draw(LABELS),
            cert_sans=draw(st.lists(NAMES, max_size=2)),
        ),
        etcd=etcd,
        workers=[draw(_group(machine(), name)) for name in draw(st.sets(NAMES, min_size=1, max_size=3))],
        network=options.Network(node_mask=draw(st.sampled_from([None, 24, 26, 28]))),
        namespace=draw(NAMES),
        management_cluster=draw(st.one_of(st.none(), NAMES)),
        flux=draw(st.one_of(st.none(), _FLUX)),
        identity=draw(st.tuples(st.one_of(st.none(), _OIDC), st.one_of(st.none(), _IAM)).map(_given)),
        proxy=draw(st.one_of(st.none(), _PROXY)),
        registry_mirror=draw(st.one_of(st.none(), _MIRROR)),
        packages=draw(st.one_of(st.none(), st.builds(options.CuratedPackages, disable=st.booleans()))),
        service_account_issuer=draw(st.sampled_from([None, "https://issuer.example.com"])),
    )


def _given(parts: tuple[Any, ...]) -> list[Any]:
    return [part for part in parts if part is not None]


def _group(machine: st.SearchStrategy[Any], name: str) -> st.SearchStrategy[WorkerGroup]:
    return st.builds(
        WorkerGroup,
        name=st.just(name),
        count=st.integers(1, 4),
        machine=machine,
        labels=LABELS,
        taints=st.lists(
            st.builds(options.Taint, key=NAMES, value=TEXTS, effect=st.just(options.Effect.PREFER_NO_SCHEDULE)),
            max_size=2,
        ),
        autoscaling=st.one_of(
            st.none(), st.builds(options.Autoscaling, min_count=st.integers(0, 1), max_count=st.integers(4, 9))
        ),
        upgrade_rollout_strategy=st.one_of(
            st.none(),
            st.builds(
                options.UpgradeRollout,
                rolling_update=st.builds(
                    options.RollingUpdate, max_surge=st.integers(1, 3), max_unavailable=st.integers(0, 2)
                ),
            ),
        ),
    )


def _docker(_: st.DrawFn, __: str) -> tuple[Docker, Any]:
    return Docker(), st.none


def _vsphere(draw: st.DrawFn, version: str) -> tuple[VSphere, Any]:
    def machine() -> st.SearchStrategy[VSphereMachine]:
        return st.builds(
            VSphereMachine,
            datastore=TEXTS,
            folder=TEXTS,
            resource_pool=TEXTS,
            os_family=st.sampled_from(OsFamily),
            template=st.sampled_from([None, f"/templates/{version}", f"kube-{version.replace('.', '-')}"]),
            num_cpus=st.integers(1, 64),
            memory_mib=st.integers(1, 1 << 20),
            users=USERS,
            tags=st.lists(TEXTS, max_size=2),
        )

    return VSphere(server=draw(NAMES), datacenter=draw(TEXTS), network=draw(TEXTS), thumbprint=draw(TEXTS)), machine


def _bare_metal(draw: st.DrawFn, version: str) -> tuple[BareMetal, Any]:
    def machine() -> st.SearchStrategy[BareMetalMachine]:
        selector = st.dictionaries(NAMES, TEXTS, min_size=1, max_size=1)
        family = st.sampled_from([OsFamily.UBUNTU, OsFamily.RED_HAT])
        return st.builds(BareMetalMachine, hardware_selector=selector, os_family=family, users=USERS)

    image = draw(st.sampled_from([None, f"http://images/{version}.gz"]))
    return BareMetal(tinkerbell_ip="10.20.0.11", os_image_url=image), machine


def _nutanix(draw: st.DrawFn, version: str) -> tuple[Nutanix, Any]:
    def machine() -> st.SearchStrategy[NutanixMachine]:
        return st.builds(
            NutanixMachine,
            cluster=IDENTIFIERS,
            subnet=IDENTIFIERS,
            image=st.one_of(st.just(named(f"kube-{version}")), st.uuids().map(str).map(with_uuid)),
            os_family=st.sampled_from([OsFamily.UBUNTU, OsFamily.RED_HAT]),
            memory_size=st.integers(4, 512).map(lambda gib: f"{gib}Gi"),
            vcpu_sockets=st.integers(1, 16),
            boot_type=st.one_of(st.none(), st.sampled_from(Boot)),
            users=USERS,
            project=st.one_of(st.none(), IDENTIFIERS),
        )

    secret = draw(st.one_of(st.none(), st.builds(Secret, name=NAMES)))
    return Nutanix(endpoint=draw(NAMES), port=draw(st.integers(1, 65_535)), credential_ref=secret), machine


_FLUX = st.one_of(
    st.builds(options.Flux, github=st.builds(options.GitHub, owner=NAMES, repository=NAMES, personal=st.booleans())),
    st.builds(options.Flux, git=st.builds(options.Git, repository_url=NAMES.map("ssh://git@example.com/{}".format))),
)
_OIDC = st.builds(
    options.Oidc,
    client_id=NAMES,
    issuer_url=NAMES.map("https://{}.example.com".format),
    groups_claim=st.one_of(st.none(), TEXTS),
    required_claims=st.lists(st.builds(options.RequiredClaim, claim=NAMES, value=TEXTS), max_size=1),
)
_IAM = st.builds(
    options.IamAuthenticator,
    aws_region=st.just("us-east-1"),
    map_roles=st.lists(
        st.builds(
            options.MappedRole,
            role_arn=NAMES.map("arn:aws:iam::111122223333:role/{}".format),
            username=NAMES,
            groups=st.lists(TEXTS, max_size=2),
        ),
        min_size=1,
        max_size=2,
    ),
)
_PROXY = st.builds(
    options.Proxy, http_proxy=st.just("10.0.0.5:3128"), https_proxy=st.just("proxy:80"), no_proxy=st.lists(TEXTS)
)
_MIRROR = st.builds(
    options.RegistryMirror,
    endpoint=NAMES,
    port=st.integers(1, 65_535).map(str),
    authenticate=st.booleans(),
    ca_cert_content=st.one_of(st.none(), TEXTS),
)
