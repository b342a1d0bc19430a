"""Sends segments to a receiver that has one core for itself, and prints what became of them as JSON.

``receive.py FOLDER RATE COUNT COMMAND...``: the command receives, says its UDP port in ``FOLDER/process.json`` and
keeps what it received in the table ``documents`` of ``FOLDER/traces.sqlite``.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil

# Seconds without any work of the receiver, after which it has done all of it.
_IDLE = 0.5


def main(folder: Path, rate: int, count: int, command: list[str]) -> dict[str, float]:
    receiver = _started(command, folder)
    try:
        datagrams = _segments(count)
        began = time.perf_counter()
        _send(datagrams, _port(folder), rate)
        sent = time.perf_counter() - began
        stored = _time_of_last_work(psutil.Process(receiver.pid)) - began
    finally:
        receiver.terminate()
        receiver.wait(30)
    kept = sqlite3.connect(folder / "traces.sqlite").execute("SELECT count(*) FROM documents").fetchone()[0]
    return {"kept": kept, "sending": sent, "storing": stored}


def _started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    cores = sorted(psutil.Process().cpu_affinity())
    psutil.Process().cpu_affinity(cores[:1])  # which the receiver inherits
    receiver = subprocess.Popen([*command, folder])
    psutil.Process().cpu_affinity(cores[1:] or cores)
    return receiver


def _port(folder: Path) -> int:
    deadline = time.monotonic() + 30
    while not (folder / "process.json").exists():
        if time.monotonic() > deadline:
            sys.exit("the receiver did not start")
        time.sleep(0.05)
    return int(json.loads((folder / "process.json").read_text())["udp_port"])


def _segments(count: int) -> list[bytes]:
    """Make small segments, five of each trace."""
    now = time.time()
    http = {"request": {"method": "GET", "url": "https://example.com/orders"}, "response": {"status": 200}}
    return [
        b'{"format": "json", "version": 1}\n'
        + json.dumps(
            {
                "name": "orders",
                "id": f"{number:016x}",
                "trace_id": f"1-{int(now):08x}-{os.getpid():08x}{number // 5:016x}",
                "start_time": now,
                "end_time": now + 0.01,
                "http": http,
                "annotations": {"customer": number},
            }
        ).encode()
        for number in range(count)
    ]


def _send(datagrams: list[bytes], port: int, rate: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.connect(("127.0.0.1", port))
        began = time.perf_counter()
        for number, datagram in enumerate(datagrams):
            sending.send(datagram)
            if number % 20 == 0:
                time.sleep(max(0.0, number / rate - (time.perf_counter() - began)))


def _time_of_last_work(receiver: psutil.Process) -> float:
    busy, last = -1.0, time.perf_counter()
    while time.perf_counter() - last < _IDLE:
        times = receiver.cpu_times()
        if times.user + times.system != busy:
            busy, last = times.user + times.system, time.perf_counter()
        time.sleep(0.02)
    return last


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])))
