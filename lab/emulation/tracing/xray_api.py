"""Calls of the local X-Ray service's API."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any

# Loopback needs no proxy.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RefusedError(Exception):
    """Raised when the service refuses a call; the message is its own."""


def call(operation: str, timeout: float = 10, **parameters: Any) -> dict[str, Any]:
    """Call an operation, and return its answer.

    Not for the event loop: it waits for the answer.

    Source: https://docs.aws.amazon.com/xray/latest/api/API_Operations.html

    :param timeout: seconds to wait for the answer.
    :raises RefusedError: with what the service says.
    :raises OSError: when it cannot be reached.
    """
    request = urllib.request.Request(  # noqa: S310 - `lab` names the address
        f"{os.environ['AWS_ENDPOINT_URL_XRAY']}/{operation}",
        data=json.dumps(parameters).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with _opener.open(request, timeout=timeout) as response:
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
            return answer
    except urllib.error.HTTPError as error:
        raise RefusedError(f"{operation}: {error.read().decode(errors='replace')}") from error
