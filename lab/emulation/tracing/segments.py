"""Segment documents of AWS's own services, and their way to the X-Ray daemon's port."""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import socket
from typing import TYPE_CHECKING, Any

from lab.emulation.tracing.header import new_id

if TYPE_CHECKING:
    from lab.emulation.tracing.header import TraceHeader

_log = logging.getLogger(__name__)
_PREAMBLE = b'{"format":"json","version":1}\n'
_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
_socket.setblocking(False)


def segment(header: TraceHeader, name: str, origin: str, start: float, end: float, **fields: Any) -> dict[str, Any]:
    """Make a segment document.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

    :param header: of the request that the segment is about: its trace, and its parent.
    :param fields: the document's other fields; one that is empty is left out.
    """
    fields = {"id": new_id(), "parent_id": header.parent, **fields}
    return {
        "trace_id": header.root,
        "name": name,
        "origin": origin,
        "start_time": start,
        "end_time": end,
        **{field: value for field, value in fields.items() if value},
    }


def subsegment(name: str, start: float, end: float, **fields: Any) -> dict[str, Any]:
    """Make a subsegment, to be embedded in a segment."""
    fields = {"id": new_id(), **fields}
    return {
        "name": name,
        "start_time": start,
        "end_time": end,
        **{field: value for field, value in fields.items() if value},
    }


def send_below(header: TraceHeader, subsegment: dict[str, Any]) -> None:
    """Send a subsegment on its own, below the segment that the header names as its parent."""
    send({"type": "subsegment", "trace_id": header.root, "parent_id": header.parent, **subsegment})


def flags(status: int) -> dict[str, bool]:
    """Say what X-Ray calls a response with this status: error, throttle or fault."""
    return {
        "error": 400 <= status < 500,
        "throttle": status == 429,
        "fault": status >= 500,
    }


def send(document: dict[str, Any]) -> None:
    """Send a document to the daemon's port, and never fail: the request that it is about is worth more."""
    address = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")
    host, _, port = address.rpartition(":")
    if not host:
        return
    try:
        ipaddress.ip_address(host)  # A name would have to be looked up, and whoever sends may be the event loop.
        _socket.sendto(_PREAMBLE + json.dumps(document, default=str).encode(), (host, int(port)))
    except (OSError, ValueError, TypeError, OverflowError):
        _log.debug("a segment was not sent to %s", address, exc_info=True)
