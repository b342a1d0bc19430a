"""What a program that runs a cluster's PostgreSQL has to do, whether it is a process or a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

#: The user who is there from the beginning; as on AWS, nobody but the service is that user.
SUPERUSER = "rdsadmin"
#: How the server is set, wherever it runs.
SETTINGS = {
    "timezone": "UTC",
    "shared_buffers": "32MB",
    # What the emulator wrote outlives its processes, and needs not outlive a power failure.
    "fsync": "off",
    "full_page_writes": "off",
    # Statements, and the passwords in them, are for no log.
    "log_min_error_statement": "panic",
    "log_min_messages": "fatal",
}


class NoServerError(Exception):
    """Raised when there is no PostgreSQL to be had; the message says what to do."""


class Program(Protocol):
    """Runs PostgreSQL on a port of loopback, and keeps its data."""

    @property
    def runs(self) -> bool:
        """Whether it was started, and has not ended since."""

    @property
    def said(self) -> str:
        """What it wrote since its start."""

    def start(self, password: Path) -> int:
        """Start it, and return its port; where there is no data yet, make some, for the superuser.

        :param password: the file that has the superuser's.
        :raises NoServerError: when it cannot be started.
        """

    def keep(self) -> None:
        """Note that it answers, so that from now on the cluster's data is where this program has it."""

    def stop(self) -> None:
        """End it, if it runs, so that it finds all its data again."""

    def remove(self) -> None:
        """Forget its data; it was stopped before."""


def settings(**more: str) -> list[str]:
    """Write the settings, and some of a program's own, as arguments of the server."""
    return [word for name, value in {**SETTINGS, **more}.items() for word in ("-c", f"{name}={value}")]
