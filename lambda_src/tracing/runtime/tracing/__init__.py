"""Tracing with AWS X-Ray by OpenTelemetry's API: ``from tracing import tracer``.

A bundle holds this package beside the handler's own; ``lambda_src/tracing/__init__.py`` says how to use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore
from opentelemetry import trace

from . import aws_calls, http_calls
from .subsegment import Subsegment
from .tracer import Tracer

if TYPE_CHECKING:
    from botocore.session import Session

__all__ = ["Subsegment", "Tracer", "tracer"]

#: The tracer of this process.
tracer = Tracer()


def _follow_session(session: Session) -> None:
    aws_calls.follow(tracer, session)


# Whatever else speaks OpenTelemetry's API ends up in the same trace.
trace.set_tracer_provider(tracer.provider)
http_calls.follow_http_client(tracer)
botocore.register_initializer(_follow_session)
