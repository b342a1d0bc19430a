"""Looks for free ports of this machine."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable


def first_free(preferred: Iterable[int]) -> int:
    """Find the first of the ``preferred`` TCP ports of 127.0.0.1 that is free, or else any that is.

    It is free now: another program may take it before whoever asked does.

    :raises LabError: when there is none.
    """
    for port in (*preferred, 0):
        bound = _bound_for_a_moment(port)
        if bound is not None:
            return bound
    raise LabError("There is no free port on 127.0.0.1: end a program that holds many, then again.")


def is_free(port: int) -> bool:
    """Say whether no program has the port."""
    return _bound_for_a_moment(port) is not None


def _bound_for_a_moment(port: int) -> int | None:
    with socket.socket() as probe:
        # As servers do: connections of one that just ended do not make the port another's.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return int(probe.getsockname()[1])
