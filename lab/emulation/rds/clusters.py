"""Clusters of Aurora PostgreSQL: each has a server of its own, made when it is first used, and gone with it."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from lab.emulation.rds.container import ContainerProgram
from lab.emulation.rds.embedded import EmbeddedProgram
from lab.emulation.rds.server import Server
from lab.postgresql import choice

if TYPE_CHECKING:
    from lab.emulation.rds.program import Program
    from lab.emulation.rds.sessions import Sessions

Cluster = dict[str, Any]


class Clusters:
    """The servers of this process, by the identifier that a cluster has for life."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._lock = Lock()
        self._servers: dict[str, Server] = {}

    def server_of(self, cluster: Cluster) -> Server:
        """Find the cluster's server, with its master user and its database."""
        with self._lock:
            server = self._server(cluster)
        server.settle(
            cluster["MasterUsername"], cluster["_MasterUserPassword"], cluster.get("DatabaseName") or "postgres"
        )
        return server

    def remove(self, cluster: Cluster) -> None:
        """End the server of a cluster that is deleted, and forget its data."""
        with self._lock:
            server = self._server(cluster)
            del self._servers[cluster["DbClusterResourceId"]]
        self._sessions.forget(server)
        server.remove()

    def stop(self) -> None:
        """End every server."""
        with self._lock:
            for server in self._servers.values():
                self._sessions.forget(server)
                server.stop()

    def _server(self, cluster: Cluster) -> Server:
        resource = cluster["DbClusterResourceId"]
        if resource not in self._servers:
            folder = Path(os.environ["POSTGRESQL_STATE"]) / resource
            version = cluster["EngineVersion"]
            self._servers[resource] = Server(folder, lambda: _program(folder, resource, version))
        return self._servers[resource]


def _program(folder: Path, resource: str, engine_version: str) -> Program:
    """Run a cluster where its data is; a new one in a container, if `lab` chose one for this version."""
    major = int(engine_version.partition(".")[0])
    bound = choice.binding_of(folder)
    chosen = choice.read(folder.parent).get(major)
    image = bound.image if bound else chosen.image if chosen else None
    if image is None or (bound is None and (folder / "data").exists()):
        return EmbeddedProgram(folder, major)
    return ContainerProgram(f"serverless-lab-{resource.lower()}", image, folder)
