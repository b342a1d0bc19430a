"""Measures what a way of tracing costs, in milliseconds: ``trace.py FOLDER TRACER MEASURE``.

TRACER is ``tracing`` or ``powertools``. MEASURE is ``cold``, what importing and setting it up adds to a function that
has botocore's client and Powertools' Logger and Metrics already, or ``warm``, an invocation with three subsegments.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_INVOCATIONS = 500


def with_tracing() -> Callable[[Any, Any], None]:
    from tracing import tracer  # noqa: PLC0415 - it is what is measured

    @tracer.handler
    def handler(event: Any, context: Any) -> None:  # noqa: ARG001
        for number in range(3):
            with tracer.subsegment(f"step {number}") as step:
                step.annotate("number", str(number))
                step.add_metadata("event", event)

    return handler


def with_powertools() -> Callable[[Any, Any], None]:
    from aws_lambda_powertools import Tracer  # noqa: PLC0415 - it is what is measured

    tracer = Tracer(service="measured")

    @tracer.capture_lambda_handler
    def handler(event: Any, context: Any) -> None:  # noqa: ARG001
        for number in range(3):
            with tracer.provider.in_subsegment(f"step {number}") as step:
                step.put_annotation("number", str(number))
                step.put_metadata("event", event)

    return handler


def function() -> object:
    """Import and make what a function has that is not traced."""
    import botocore.session  # noqa: PLC0415 - the time that it takes must have passed before
    from aws_lambda_powertools import Logger, Metrics  # noqa: PLC0415

    client = botocore.session.get_session().create_client("dynamodb", region_name="us-east-1")
    return client, Logger(service="measured"), Metrics(namespace="measured", service="measured")


def main(folder: str, way: str, measure: str) -> float:
    sys.path.insert(0, folder)
    # Somebody has to be there; what is not read is lost, as on AWS.
    daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    daemon.bind(("127.0.0.1", 0))
    # What AWS Lambda gives to a function that is sampled.
    os.environ |= {
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
        "_X_AMZN_TRACE_ID": f"Root=1-{int(time.time()):08x}-a006649127e371903a2de979;Parent=70de5b6f19ff9a0a;Sampled=1",
        "LAMBDA_TASK_ROOT": folder,
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
    }
    kept = function()
    started = time.perf_counter()
    handler = {"tracing": with_tracing, "powertools": with_powertools}[way]()
    cold = time.perf_counter() - started
    if measure == "cold":
        return cold * 1000
    event = {"orders": [{"id": "o1", "total": 12}]}
    handler(event, kept)
    if not daemon.recv(65_536):
        sys.exit("nothing was sent")
    started = time.perf_counter()
    for _ in range(_INVOCATIONS):
        handler(event, kept)
    return (time.perf_counter() - started) * 1000 / _INVOCATIONS


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
