"""The tracer: it turns an invocation and its steps into spans, and sends each span when it has ended.

Spans are sent one by one, and none waits for the end of the invocation: what a function had done before it ran into
its timeout is then known. X-Ray puts them together, in whatever order they come.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import Link, NonRecordingSpan

from . import aws_calls, daemon, http_calls
from .documents import MOST_LINKS, datagram, document
from .harmless import harmless
from .header import read_header
from .identifiers import Identifiers
from .subsegment import Subsegment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from botocore.client import BaseClient
    from opentelemetry.context import Context

_Event = TypeVar("_Event")
_LambdaContext = TypeVar("_LambdaContext")
_Answer = TypeVar("_Answer")
_Client = TypeVar("_Client", bound="BaseClient")


class _Sender(SpanProcessor):
    @harmless
    def on_end(self, span: ReadableSpan) -> None:
        written = document(span)
        if written:
            daemon.send(datagram(written))


def _provider() -> TracerProvider:
    provider = TracerProvider(
        # AWS Lambda has decided whether to sample before it calls; without its decision no trace begins here.
        sampler=ParentBased(root=ALWAYS_OFF),
        # What the SDK would find out about the process, X-Ray has no field for.
        resource=Resource.get_empty(),
        id_generator=Identifiers(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(_Sender())
    return provider


class Tracer:
    """Traces the invocations of a handler, the calls that they make, and the steps that they name."""

    def __init__(self) -> None:
        self.provider = _provider()
        self._spans = self.provider.get_tracer("tracing")
        # Those under way: where a thread goes on that a handler started, as it has no context of its own.
        self._invocations: list[Context | None] = []

    def handler(
        self, function: Callable[[_Event, _LambdaContext], _Answer]
    ) -> Callable[[_Event, _LambdaContext], _Answer]:
        """Trace every invocation of a handler."""
        name = getattr(function, "__name__", "handler")

        @functools.wraps(function)
        def traced(event: _Event, context: _LambdaContext) -> _Answer:
            header = os.environ.get("_X_AMZN_TRACE_ID")
            if not header or not daemon.has_address():
                return function(event, context)
            http_calls.follow_urllib3(self)
            with Subsegment(self, name, parent=_context_of(header)) as invocation:
                self._invocations.append(invocation.context)
                try:
                    answer = function(event, context)
                finally:
                    self._invocations.remove(invocation.context)
                invocation.set_answer(answer)
                return answer

        return traced

    def subsegment(self, name: str, *, links: Sequence[Link] | None = None) -> Subsegment:
        """Trace a step of the work: ``with tracer.subsegment("price the order") as step: ...``."""
        return Subsegment(self, name, links=links)

    def links_of(self, records: Iterable[Mapping[str, Any]]) -> list[Link]:
        """Link to the traces of those who sent these messages of Amazon SQS: each once, 20 at most."""
        return _links_of(records) or []

    def instrument(self, client: _Client) -> _Client:
        """Trace the calls of a client whose session was made before this module was imported."""
        aws_calls.follow(self, client.meta.events)
        return client

    def context(self) -> Context | None:
        """Return what a span that begins now belongs to; ``None`` outside a traced invocation."""
        context = get_current()
        if trace.get_current_span(context).get_span_context().is_valid:
            return context
        return self._invocations[-1] if self._invocations else None

    def start(self, name: str, **options: Any) -> trace.Span:
        """Start a span, as OpenTelemetry's tracer does."""
        return self._spans.start_span(name, **options)


@harmless
def _context_of(header: str) -> Context | None:
    remote, context = read_header(header), get_current()
    if remote is None:
        return None
    if trace.get_current_span(context).get_span_context().trace_id == remote.trace_id:
        # One handler calls another.
        return context
    return trace.set_span_in_context(NonRecordingSpan(remote), context)


@harmless
def _links_of(records: Iterable[Mapping[str, Any]]) -> list[Link]:
    links: dict[tuple[int, int], Link] = {}
    for record in records:
        attributes = record.get("attributes") if isinstance(record, dict) else None
        header = attributes.get("AWSTraceHeader") if isinstance(attributes, dict) else None
        # Whoever was not sampled left no trace to link to. There may be 10,000 of them: this is cheaper than to read.
        if isinstance(header, str) and "Sampled=1" in header and (sender := read_header(header)):
            links[sender.trace_id, sender.span_id] = Link(sender)
            if len(links) == MOST_LINKS:
                break
    return list(links.values())
