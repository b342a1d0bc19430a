"""What the tests of tracing run on: a daemon that keeps the documents that it is sent, and an invocation's header."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.xray import documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

# Of this month, as X-Ray takes no older one; the same in every process, as it is part of the names of tests.
ROOT = f"1-{int(time.time()) // 86_400 * 86_400:08x}-a006649127e371903a2de979"
PARENT = "70de5b6f19ff9a0a"
SAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:3d8ecff2:0"

Document = dict[str, Any]


class FakeDaemon:
    """Takes datagrams, and refuses documents that X-Ray would refuse."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def received(self) -> list[Document]:
        """Take what was sent since the last time."""
        return [_read(datagram) for datagram in self._datagrams()]

    def _datagrams(self) -> Iterator[bytes]:
        while True:
            try:
                yield self._socket.recv(65_536)
            except BlockingIOError:
                return

    def close(self) -> None:
        self._socket.close()


def _read(datagram: bytes) -> Document:
    header, _, document = datagram.partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    documents.parse(document)
    read: Document = json.loads(document)
    return read


@contextmanager
def invoked(patch: pytest.MonkeyPatch, header: str = SAMPLED) -> Iterator[FakeDaemon]:
    """Give the environment of an invocation that is traced, and the daemon that its address leads to."""
    daemon = FakeDaemon()
    patch.setenv("AWS_XRAY_DAEMON_ADDRESS", daemon.address)
    patch.setenv("_X_AMZN_TRACE_ID", header)
    patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "Traced")
    try:
        yield daemon
    finally:
        daemon.close()


def named(received: list[Document], name: str) -> Document:
    """Find the only document of a name."""
    [found] = [document for document in received if document["name"] == name]
    return found
