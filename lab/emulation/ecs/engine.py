"""The container engine that `lab` lends to the emulator, and the way from a container to the emulator.

Amazon ECS and Amazon RDS run containers of it. The other services of MiniStack that could find no engine: what they
prove here is not proven by one.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import select
import socket
import socketserver
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import docker

#: The label by which `lab` finds the containers of this emulator, to remove them when it ends.
LABEL: tuple[str, str] = ("serverless-lab", os.environ.get("LAB_HOME", ""))
_PORT = int(os.environ.get("GATEWAY_PORT", "0"))
_SECONDS = 60
_DESKTOP = "host.docker.internal"
# What a container may have of each.
_OPEN_FILES = 65_535
_PROCESSES = 4_096


def client(*, seconds: float = _SECONDS) -> docker.DockerClient | None:
    """Reach the engine, if one is lent at this moment; each answer may take so long."""
    record = _record()
    return _client(record["address"], seconds) if record else None


def where() -> str | None:
    """Say which engine is lent at this moment, and where its API is."""
    record = _record()
    return f"{record['name']} at {record['address']}" if record else None


def host_for_containers() -> str | None:
    """Name the host by which a container reaches the emulator; there is none where an engine has no way to it.

    The emulator is on loopback alone, and a container has a loopback of its own. Docker Desktop leads one name there.
    Elsewhere the bridge that the containers are on has an address of this machine: the emulator listens to that too,
    and to nobody but the containers. The network of an engine without privileges has none.
    """
    record = _record()
    if record is None or record["rootless"]:
        return None
    if record["desktop"]:
        return _DESKTOP
    settings = _bridge(_client(record["address"]), "bridge" if record["name"] == "docker" else "podman")
    if settings is None:
        return None
    return str(settings["Gateway"]) if _door(settings["Gateway"], settings["Subnet"]) else None


def _bridge(engine: docker.DockerClient, name: str) -> dict[str, str] | None:
    """Find the address and the network of the bridge; what merely speaks Docker's API may have none of that name."""
    for network in engine.networks.list(names=[name]):
        for settings in network.attrs["IPAM"]["Config"] or []:
            if network.name == name and "Gateway" in settings:
                return dict(settings)
    return None


def is_for_containers(host: str) -> bool:
    """Say whether ``host`` is the name by which containers reach the emulator."""
    record = _record() if host == _DESKTOP else None
    return host in _doors or bool(record and record["desktop"])


def limits() -> list[dict[str, Any]]:
    """Limit a container as Fargate does, as far as this process could raise its own: an engine's own may be higher."""
    if os.name == "nt":  # the engine is in a virtual machine, and has limits of its own
        return []
    import resource  # noqa: PLC0415 - which Windows has not

    limits = []
    for name, kind, soft, hard in (
        ("nofile", resource.RLIMIT_NOFILE, 1024, _OPEN_FILES),
        ("nproc", resource.RLIMIT_NPROC, _PROCESSES, _PROCESSES),
    ):
        _, most = resource.getrlimit(kind)
        bound = hard if most == resource.RLIM_INFINITY else min(hard, most)
        limits.append({"Name": name, "Soft": min(soft, bound), "Hard": bound})
    return limits


def _record() -> dict[str, Any] | None:
    # Read each time, as `lab` lends an engine to an emulator that runs already, and takes it back.
    try:
        engine: dict[str, Any] = json.loads(Path(os.environ["CONTAINER_ENGINE"]).read_text())["engine"]
    except (KeyError, OSError, ValueError):
        return None
    return engine


@lru_cache(maxsize=16)
def _client(address: str, seconds: float = _SECONDS) -> docker.DockerClient:
    import docker  # noqa: PLC0415 - slow to load, and most labs run no container

    return docker.DockerClient(base_url=address, timeout=seconds)


# The addresses at which containers are let in, by host.
_doors: dict[str, socketserver.BaseServer | None] = {}
_lock = threading.Lock()


def _door(host: str, subnet: str) -> bool:
    """Listen at the bridge's address too; say whether that is possible."""
    with _lock:
        if host not in _doors:
            try:
                _doors[host] = _open(host, subnet)
            except OSError:
                _doors[host] = None
        return _doors[host] is not None


def _open(host: str, subnet: str) -> socketserver.BaseServer:
    containers = ipaddress.ip_network(subnet)

    class Door(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def server_bind(self) -> None:
            # The bridge has its address as long as a container is on it.
            self.socket.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_FREEBIND", 15), 1)
            super().server_bind()

        def verify_request(self, _: Any, client_address: Any) -> bool:
            return ipaddress.ip_address(client_address[0]) in containers

    class Passage(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", _PORT)) as emulator:
                other = {self.request: emulator, emulator: self.request}
                while True:
                    for ready in select.select(list(other), [], [])[0]:
                        received = ready.recv(65536)
                        if not received:
                            return
                        other[ready].sendall(received)

    server = Door((host, _PORT), Passage)
    threading.Thread(target=server.serve_forever, daemon=True, name="door-for-containers").start()
    return server
