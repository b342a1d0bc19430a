"""Requests through the emulated load balancer against requests straight to a container: what the path costs."""

from __future__ import annotations

import contextlib
import http.client
import json
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.comparison import Comparison, Side
from benchmarks.workbench import MeasurementError, run, seconds
from lab.engine import discovery

if TYPE_CHECKING:
    from benchmarks.workbench import Workbench

_REQUESTS = 200
#: A file: what the page does for itself would be most of the time.
_PATH = "/health.txt"
_SECONDS = 30


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare on the section on Fargate, with one request at a time, each on a connection of its own."""
    engine = discovery.found()
    if engine is None:
        raise MeasurementError(f"no container engine answers: {discovery.INSTALL}")
    outputs = json.loads(bench.run_lab("up", "fargate", "--json"))["fargate"]
    emulator = urlsplit(bench.lab.settings["AWS_ENDPOINT_URL"]).netloc
    name = f"{outputs['LoadBalancerName']}.alb.localhost"
    label = f"label=serverless-lab={bench.lab_home}"
    container, *_ = run(engine.name, "ps", "--quiet", "--filter", label, environment=bench.environment).split()
    published = run(engine.name, "port", container, "8080/tcp", environment=bench.environment).strip()
    return [
        Comparison(
            title="requests to the web image",
            ours=Side("through the emulated load balancer", partial(_requests_a_second, emulator, name)),
            alternative=Side("straight to the container", partial(_requests_a_second, published, published)),
            unit="requests/s",
        )
    ]


def _requests_a_second(address: str, host: str) -> float:
    return _REQUESTS / seconds(partial(_ask, address, host))


def _ask(address: str, host: str) -> None:
    for _ in range(_REQUESTS):
        with contextlib.closing(http.client.HTTPConnection(address, timeout=_SECONDS)) as connection:
            connection.request("GET", _PATH, headers={"Host": host})
            response = connection.getresponse()
            if response.status != 200 or response.read() != b"ok\n":
                raise MeasurementError(f"{host} answers {response.status} instead of the file")
