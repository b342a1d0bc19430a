"""PostgreSQL in a container of the official image, published on loopback alone, with its data in a volume."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.emulation.ecs import engine
from lab.emulation.rds.program import SUPERUSER, NoServerError, settings
from lab.postgresql import choice
from lab.postgresql.choice import Binding

if TYPE_CHECKING:
    from pathlib import Path

_PORT = "5432/tcp"
# Where no image has anything of its own: they differ in where data is.
_VOLUME, _DATA, _PASSWORD = "/database", "/database/data", "/database-password"
_STOP_SECONDS = 30
_SHARED_MEMORY = "128m"
_OTHERWISE = "With SERVERLESS_LAB_POSTGRESQL=none, `lab up` has a cluster without data use the embedded PostgreSQL."


class ContainerProgram:
    """A container that `lab` removes with the emulator, and a volume that goes with the cluster.

    :param name: of both.
    :param folder: of the cluster, where it is noted which engine has the volume.
    """

    def __init__(self, name: str, image: str, folder: Path) -> None:
        self._name = name
        self._image = image
        self._folder = folder
        self._engine = ""
        self._container: Any = None

    @property
    def runs(self) -> bool:
        """Whether the engine runs the container."""
        from docker.errors import DockerException  # noqa: PLC0415 - loaded with the engine's client

        if self._container is None:
            return False
        try:
            self._container.reload()
        except (DockerException, OSError):
            return False
        return bool(self._container.status == "running")

    @property
    def said(self) -> str:
        """What the engine kept of its output."""
        from docker.errors import DockerException  # noqa: PLC0415

        try:
            return self._container.logs(tail=20).decode(errors="replace").strip() if self._container else ""
        except (DockerException, OSError) as error:
            return f"its engine does not say why ({error})"

    def start(self, password: Path) -> int:
        """Start the container; the engine chooses the port."""
        from docker.errors import DockerException  # noqa: PLC0415

        try:
            client = self._client()
            self._discard(client)  # one that a killed emulator left behind
            self._container = client.containers.create(
                self._image,
                ["postgres", *settings(listen_addresses="*")],
                name=self._name,
                labels=dict([engine.LABEL]),
                environment={
                    "PGDATA": _DATA,
                    "POSTGRES_DB": "postgres",
                    "POSTGRES_USER": SUPERUSER,
                    "POSTGRES_PASSWORD_FILE": _PASSWORD,
                    # By default loopback is trusted, and an engine may let connections from outside come from it.
                    "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256 --encoding=UTF8 --no-locale --no-sync",
                },
                ports={_PORT: ("127.0.0.1", None)},
                volumes={self._volume(client): {"bind": _VOLUME, "mode": "rw"}},
                shm_size=_SHARED_MEMORY,
                ulimits=engine.limits(),
            )
            # An engine may be in a virtual machine, which has no file of this one.
            self._container.put_archive("/", _archive(_PASSWORD.lstrip("/"), password.read_bytes()))
            self._container.start()
            self._container.reload()
        except (DockerException, OSError) as error:
            raise NoServerError(f"No container of {self._image} can be started: {error}. {_OTHERWISE}") from None
        published = self._container.ports.get(_PORT)
        if not published:
            raise NoServerError(
                f"The container of {self._image} ended at once, and said: {self.said or 'nothing'}. See that the image "
                f"is PostgreSQL's, and for this machine's architecture. {_OTHERWISE}"
            )
        return int(published[0]["HostPort"])

    def keep(self) -> None:
        """Note which engine has the volume."""
        choice.bind_cluster(self._folder, Binding(self._image, self._engine))

    def stop(self) -> None:
        """Have PostgreSQL end by itself, and remove the container; an engine that is gone has ended it too."""
        from docker.errors import DockerException  # noqa: PLC0415

        if self._container is not None:
            with suppress(DockerException, OSError):
                self._container.stop(timeout=_STOP_SECONDS)
                self._container.remove(v=True)
        self._container = None

    def remove(self) -> None:
        """Remove the volume; that of an engine that is not there now stays until `lab reset`."""
        from docker.errors import DockerException  # noqa: PLC0415

        with suppress(NoServerError, DockerException, OSError):
            client = self._client()
            self._discard(client)
            client.volumes.get(self._name).remove()

    def _client(self) -> Any:
        """Reach the engine that has the cluster's volume, or for a cluster that has none the one that is lent."""
        lent, bound = engine.where(), choice.binding_of(self._folder)
        if bound and bound.engine != lent:
            raise NoServerError(
                f"The data of this cluster is in a volume of {bound.engine}, and what is lent to the emulator is "
                f"{lent or 'no container engine'}: see that the former answers, then `lab up`; or `lab reset`, which "
                "forgets all data."
            )
        client = engine.client()
        if client is None or lent is None:
            raise NoServerError(
                f"This cluster is to run in a container of {self._image}, and no container engine is lent to the "
                "emulator: see that it answers, then `lab up`."
            )
        self._engine = lent
        return client

    def _volume(self, client: Any) -> str:
        """Find the volume that the cluster's data is in; of a cluster that never had a server, make it anew."""
        from docker.errors import NotFound  # noqa: PLC0415

        if choice.binding_of(self._folder):
            try:
                return str(client.volumes.get(self._name).name)
            except NotFound:
                raise NoServerError(
                    f"The volume {self._name} with the data of this cluster is gone from {self._engine}: delete the "
                    "cluster, or `lab reset`."
                ) from None
        with suppress(NotFound):  # of a first start that failed
            client.volumes.get(self._name).remove()
        return str(client.volumes.create(self._name, labels=dict([engine.LABEL])).name)

    def _discard(self, client: Any) -> None:
        from docker.errors import NotFound  # noqa: PLC0415

        with suppress(NotFound):
            client.containers.get(self._name).remove(force=True, v=True)


def _archive(name: str, content: bytes) -> bytes:
    """Pack a file that PostgreSQL can read, whoever it is there."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o444
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
