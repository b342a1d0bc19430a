"""Whatever arrives on the UDP port, documents are stored, and everything else is counted and dropped."""

from __future__ import annotations

import json
import random
import socket
import time
from typing import TYPE_CHECKING

import pytest

from lab.xray import receiver as module
from lab.xray.receiver import Receiver
from lab.xray.store import Store

from .xray_documents import segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = b'{"format": "json", "version": 1}\n'


class Sender:
    """A program that traces, and a receiver that it sends to."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "traces.sqlite")
        self.receiver = Receiver(self.store, port=0)
        self.receiver.start()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, *datagrams: bytes) -> None:
        """Send, and wait until all was received and checked."""
        expected = self.receiver.received + len(datagrams)
        for datagram in datagrams:
            self._socket.sendto(datagram, ("127.0.0.1", self.receiver.port))
        deadline = time.monotonic() + 10
        while self.receiver.received < expected or not self._checked():
            assert time.monotonic() < deadline, self.receiver.counts()
            time.sleep(0.005)

    def _checked(self) -> bool:
        return self.receiver.received == self.receiver.stored + sum(self.receiver.dropped.values())

    def close(self) -> None:
        self._socket.close()
        self.receiver.stop()
        self.store.close()


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    started = Sender(tmp_path)
    yield started
    started.close()


def document(number: int = 1, **fields: object) -> bytes:
    now = time.time()
    return json.dumps({**segment(number), "start_time": now, "end_time": now, **fields}).encode()


def test_a_document_of_the_daemons_protocol_is_stored(sender: Sender) -> None:
    sender.send(HEADER + document())
    assert (sender.receiver.stored, sender.receiver.dropped, sender.store.count()) == (1, {}, 1)


@pytest.mark.parametrize(
    "header", [b'{"version":1,"format":"JSON"}\n', b' {"format": "json", "version": 1.0, "x": 2}\n']
)
def test_the_header_is_read_as_the_daemon_reads_it(sender: Sender, header: bytes) -> None:
    sender.send(header + document())
    assert sender.receiver.stored == 1


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "InvalidHeader"),
        (b"\n", "InvalidHeader"),
        (document(), "InvalidHeader"),
        (b'{"format": "xml", "version": 1}\n' + document(), "InvalidHeader"),
        (b'{"format": "json", "version": 2}\n' + document(), "InvalidHeader"),
        (b"[" * 60_000, "InvalidHeader"),
        (HEADER, "ParseError"),
        (HEADER + b"\x00\xff", "ParseError"),
        (HEADER + b"{" * 60_000, "ParseError"),
        (HEADER + document(id=1), "InvalidId"),
        (HEADER + document(start_time=1), "InvalidTraceId"),
        (HEADER + b"x" * (65_507 - len(HEADER)), "ParseError"),
    ],
    # A document has the time in it: every process needs the same names.
    ids=[
        "nothing",
        "an empty header",
        "no header",
        "another format",
        "another version",
        "a header without end",
        "no document",
        "no text",
        "a document without end",
        "no id",
        "a trace of another time",
        "no JSON",
    ],
)
def test_everything_else_is_counted_by_its_reason(sender: Sender, datagram: bytes, reason: str) -> None:
    sender.send(datagram, HEADER + document())
    assert (sender.receiver.stored, sender.receiver.dropped) == (1, {reason: 1})


def test_noise_does_no_harm(sender: Sender) -> None:
    noise = random.Random(1)  # noqa: S311
    whole = HEADER + document()
    for _ in range(20):
        bent = bytearray(whole)
        bent[noise.randrange(len(bent))] = noise.randrange(256)
        sender.send(noise.randbytes(noise.randrange(2000)), bytes(bent), whole[: noise.randrange(len(whole))])
    before = sender.receiver.stored
    sender.send(whole)
    assert sender.receiver.stored == before + 1


def test_reasons_do_not_grow_with_what_is_sent(sender: Sender) -> None:
    sender.send(*(HEADER + document(annotations={f"k{number}": []}) for number in range(50)))
    assert sender.receiver.dropped == {"InvalidAnnotations": 50}


def test_a_flood_is_counted_and_does_not_fill_the_memory(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 10_000)
    monkeypatch.setattr(module, "_GATHERING", 0.3)
    sender.send(*(HEADER + document(number) for number in range(200)))
    assert sender.receiver.dropped["flooded"] > 0
    assert sender.receiver.stored > 0
    sender.send(HEADER + document())
    assert sender.receiver.counts()["waiting"] == 0


def test_documents_that_cannot_be_stored_are_counted(sender: Sender) -> None:
    sender.store.close()
    sender.send(HEADER + document(), HEADER + document())
    assert sender.receiver.dropped == {"StorageFailed": 2}


def test_the_end_stores_what_was_received(tmp_path: Path) -> None:
    started = Sender(tmp_path)
    started.send(*(HEADER + document(number) for number in range(500)))
    started.close()
    assert Store(tmp_path / "traces.sqlite").count() == 500


def test_the_end_stores_what_has_arrived_and_was_not_fetched_yet(tmp_path: Path) -> None:
    store = Store(tmp_path / "traces.sqlite")
    receiver = Receiver(store, port=0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        for number in range(100):
            program.sendto(HEADER + document(number), ("127.0.0.1", receiver.port))
    receiver._stopping = True
    receiver.start()
    receiver.stop()
    assert store.count() == 100


def test_a_taken_port_is_left_to_its_owner(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as owner:
        owner.bind(("127.0.0.1", 0))
        taken = owner.getsockname()[1]
        assert Receiver(Store(tmp_path / "traces.sqlite"), taken).port != taken


def test_it_listens_on_loopback_alone(sender: Sender) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.connect(("127.0.0.2", sender.receiver.port))  # this machine too, and not the address it listens on
        elsewhere.settimeout(5)
        elsewhere.send(HEADER + document())
        with pytest.raises(ConnectionRefusedError):
            elsewhere.recv(1)
    assert sender.receiver.received == 0
