"""Where a cluster is reached, and which addresses its pods, services and machines have."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from lambda_src.eks_anywhere.rules.machines import BARE_METAL, DOCKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_src.eks_anywhere.specification import Place, Problem, Specification

Network = IPv4Network | IPv6Network
#: What kubeadm takes of the pods' network for each machine, where the specification does not say.
_NODE_MASK = 24


def networks(specification: Specification) -> Iterator[Problem]:
    """One network for pods, one for services, apart from each other, with room for machines."""
    for cluster in specification.clusters:
        network = cluster["spec"]["clusterNetwork"]
        found: dict[str, Network] = {}
        for name in ("pods", "services"):
            blocks = network[name]["cidrBlocks"]
            if len(blocks.items) != 1:
                yield blocks.is_wrong("network", f"{len(blocks.items)} networks for {name}: exactly one")
                continue
            [block] = blocks.items
            parsed = _network(block.value)
            if parsed is None:
                yield block.is_wrong("network", f"{block.value!r} is no network: such as 192.168.0.0/16")
            else:
                found[name] = parsed
        if len(found) == 2 and found["pods"].overlaps(found["services"]):
            yield network["services"]["cidrBlocks"].is_wrong(
                "network", f"{found['services']} and {found['pods']}, of the pods, have addresses in common"
            )
        if "pods" in found:
            yield from _room_for_machines(network, found["pods"])


def endpoint(specification: Specification) -> Iterator[Problem]:
    """The control plane has an address of its own, but in Docker, where it gets one."""
    for cluster in specification.clusters:
        spec = cluster["spec"]
        control_plane = spec["controlPlaneConfiguration"]["endpoint"]
        host, in_docker = control_plane["host"], spec["datacenterRef"]["kind"].value == DOCKER
        if in_docker and control_plane.value is not None:
            yield control_plane.is_wrong("endpoint", "Docker gives the control plane its address: leave this out")
        if in_docker:
            continue
        if not host.value:
            yield host.is_wrong("endpoint", "the control plane has no address: give one that nothing else has")
            continue
        address = _address(host.value)
        for name in ("pods", "services"):
            for block in spec["clusterNetwork"][name]["cidrBlocks"].items:
                network = _network(block.value)
                if address and network and address in network:
                    yield host.is_wrong("endpoint", f"{host.value} is in the network of the {name}, {network}")


def site(specification: Specification) -> Iterator[Problem]:
    """What has an address of its own is in the machines' network, outside of what DHCP gives away."""
    network = _network(specification.site.network)
    for cluster in specification.clusters:
        for place, what in _own_addresses(specification, cluster):
            address = _address(place.value)
            if address is None:
                continue
            if network and address not in network:
                yield place.is_wrong("site", f"{what} {address} is not in the machines' network, {network}")
            if specification.site.dhcp_range and _is_between(address, *specification.site.dhcp_range):
                first, last = specification.site.dhcp_range
                yield place.is_wrong("site", f"DHCP gives {first} to {last} away, and {what} {address} is one of those")


def _own_addresses(specification: Specification, cluster: Place) -> Iterator[tuple[Place, str]]:
    yield cluster["spec"]["controlPlaneConfiguration"]["endpoint"]["host"], "the control plane's address"
    for datacenter in specification.of_kind(BARE_METAL):
        yield datacenter["spec"]["tinkerbellIP"], "the address of Tinkerbell"


def _room_for_machines(network: Place, pods: Network) -> Iterator[Problem]:
    mask = network["nodes"]["cidrMaskSize"].value or _NODE_MASK
    place = network["pods"]["cidrBlocks"]
    if pods.prefixlen >= mask:
        yield place.is_wrong(
            "network", f"{pods} has no room for a /{mask} for each machine: take a /{mask - 1} or more"
        )
    elif mask - pods.prefixlen > 16:
        yield place.is_wrong("network", f"{pods} and /{mask} for each machine are more than 16 bits apart")


def is_host(text: str) -> bool:
    """Say whether it can be a host: an address, or a name, which does not consist of numbers alone."""
    return _address(text.strip("[]")) is not None or re.fullmatch(r"[\d.]+", text) is None


def _is_between(address: Any, first: str, last: str) -> bool:
    lowest, highest = ip_address(first), ip_address(last)
    return lowest.version == address.version == highest.version and int(lowest) <= int(address) <= int(highest)


def _network(text: Any) -> Network | None:
    try:
        return ip_network(text, strict=False) if isinstance(text, str) and "/" in text else None
    except ValueError:
        return None


def _address(text: Any) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None
