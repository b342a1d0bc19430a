"""Receives segment documents over UDP as the X-Ray daemon does, and keeps them.

A thread does nothing but receive, as the kernel drops what nobody fetches; another one checks and stores what came,
many documents at a time. Whatever a datagram holds, it is counted, and harms nothing.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import threading
import time
from collections import Counter, deque
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab.xray import documents
from lab.xray.documents import InvalidDocumentError
from lab.xray.store import KEPT

if TYPE_CHECKING:
    from lab.xray.documents import Document
    from lab.xray.store import Store

#: Where the daemon listens.
USUAL_PORT = 2000
# Bytes that the kernel holds until they are fetched; it gives as many as the machine's limit allows.
_BUFFER = 32 * 1024 * 1024
_LARGEST_DATAGRAM = 64 * 1024
# Bytes that wait to be checked. What comes above is a flood, and must not fill the memory.
_MOST_WAITING = 128 * 1024 * 1024
_OVERHEAD = 100
# Documents that are stored at once.
_BATCH = 2000
# Seconds, in which a batch may gather.
_GATHERING = 0.005


class Receiver:
    """A UDP port of 127.0.0.1, and the threads behind it.

    :param port: taken if it is free, else any.
    """

    def __init__(self, store: Store, port: int = USUAL_PORT) -> None:
        self._store = store
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        #: Datagrams that were received, and documents that were stored.
        self.received = 0
        self.stored = 0
        #: What was dropped, by the reason.
        self.dropped: Counter[str] = Counter()
        self._waiting: deque[bytes] = deque()
        self._bytes_received = self._bytes_checked = 0
        self._something = threading.Event()
        self._stopping = self._fetched_all = False
        self._threads = [
            threading.Thread(target=work, name=f"xray-{work.__name__.strip('_')}", daemon=True)
            for work in (self._receive, self._store_all)
        ]

    def start(self) -> None:
        """Begin to receive."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Store what has arrived, and end."""
        self._stopping = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            for thread in self._threads:
                while thread.is_alive():
                    # Again, as the kernel drops it where its buffer is full.
                    waker.sendto(b"", ("127.0.0.1", self.port))
                    thread.join(0.1)
        self._socket.close()

    def counts(self) -> dict[str, object]:
        """Tell what came, and what became of it."""
        return {
            "received": self.received,
            "stored": self.stored,
            "waiting": len(self._waiting),
            "dropped": dict(self.dropped),
            "lost": _lost_by_kernel(self.port),
        }

    def _receive(self) -> None:
        fetch, keep, something = self._socket.recv, self._waiting.append, self._something
        # Told to stop, it still fetches what had arrived before.
        while (datagram := fetch(_LARGEST_DATAGRAM)) or not self._stopping:
            self.received += 1
            if self._bytes_received - self._bytes_checked > _MOST_WAITING:
                self.dropped["flooded"] += 1
                continue
            self._bytes_received += len(datagram) + _OVERHEAD
            keep(datagram)
            if not something.is_set():
                something.set()
        self._fetched_all = True
        something.set()

    def _store_all(self) -> None:
        while self._waiting or not self._fetched_all:
            self._something.wait()
            self._something.clear()
            time.sleep(_GATHERING)
            while self._waiting:
                self._store_batch()

    def _store_batch(self) -> None:
        found: list[Document] = []
        checked, oldest = 0, time.time() - KEPT
        while self._waiting and len(found) < _BATCH:
            datagram = self._waiting.popleft()
            checked += len(datagram) + _OVERHEAD
            try:
                found += documents_of(datagram, oldest)
            except InvalidDocumentError as error:
                self.dropped[error.code] += 1
        self._bytes_checked += checked
        try:
            self._store.add(found)
        except sqlite3.Error as error:  # A full disk; the next documents may find room.
            self.dropped["StorageFailed"] += len(found)
            print(f"{len(found)} documents could not be stored: {error}", file=sys.stderr)
        else:
            self.stored += len(found)


def documents_of(datagram: bytes, oldest: float = 0.0) -> list[Document]:
    """Read a datagram of the daemon's protocol: a header, the end of its line, and a document.

    :param oldest: as of `documents.parse`.
    :raises InvalidDocumentError: when it is something else.
    """
    header, _, document = datagram.partition(b"\n")
    if not _is_header(header):
        raise InvalidDocumentError("InvalidHeader", 'it does not begin with {"format": "json", "version": 1}')
    return documents.parse(document, oldest=oldest)


@lru_cache(maxsize=64)
def _is_header(line: bytes) -> bool:
    try:
        header = json.loads(line)
        return bool(str(header["format"]).lower() == "json" and header["version"] == 1)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _bound(port: int) -> socket.socket:
    receiving = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    try:
        receiving.bind(("127.0.0.1", port))
    except OSError:
        receiving.bind(("127.0.0.1", 0))
    return receiving


def _lost_by_kernel(port: int) -> int | None:
    """Ask the kernel how many datagrams found its buffer full; only Linux tells."""
    try:
        lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    except OSError:
        return None
    address = f"0100007F:{port:04X}"
    return sum(int(line.split()[-1]) for line in lines if line.split()[1] == address)
