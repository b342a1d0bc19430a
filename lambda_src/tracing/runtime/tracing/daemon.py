"""Sends documents to the X-Ray daemon, at the address that AWS Lambda gives.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from typing import Any

_ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"


def has_address() -> bool:
    """Tell whether there is a daemon to send to."""
    return bool(os.environ.get(_ADDRESS))


def send(datagram: bytes) -> None:
    """Send to the daemon, if there is one, without ever waiting: what it cannot take is lost."""
    text = os.environ.get(_ADDRESS)
    if text:
        channel, address = _opened(text)
        channel.sendto(datagram, address)


@lru_cache(maxsize=1)
def _opened(text: str) -> tuple[socket.socket, Any]:
    host, port = udp_address(text)
    # To look up a name could take seconds of the request's.
    numeric = socket.AI_NUMERICHOST
    [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=numeric)
    channel = socket.socket(family, kind, protocol)
    channel.setblocking(False)
    return channel, address


def udp_address(text: str) -> tuple[str, int]:
    """Read ``host:port``, or ``tcp:host:port udp:host:port`` where the daemon has two.

    :raises ValueError: when there is no such address in it.
    """
    for word in text.split():
        host, _, port = word.removeprefix("udp:").rpartition(":")
        if host and not word.startswith("tcp:"):
            return host.strip("[]"), int(port)
    raise ValueError(f"{_ADDRESS} is {text!r}: host:port, or tcp:host:port udp:host:port")
