"""A subsegment: one step of an invocation, or one call that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind, Status, StatusCode

from .documents import EXCEPTION, SIZE, STATUS, annotation, metadata
from .exceptions import described
from .harmless import harmless
from .header import write_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Link
    from opentelemetry.util.types import AttributeValue

    from .tracer import Tracer


class Subsegment:
    """A step of an invocation, from entering its ``with`` block to leaving it, with the exception that ends it if any.

    Where nothing is traced, and where tracing itself fails, it does nothing.
    """

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
        parent: Context | None = None,
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._options = {"kind": kind, "attributes": attributes, "links": links}
        self._parent = parent
        self._span: trace.Span = trace.INVALID_SPAN
        self._before: Token[Context] | None = None
        #: What begins inside it belongs to.
        self.context: Context | None = None

    def __enter__(self) -> Subsegment:
        """Begin, as what is current until the end."""
        self.begin()
        self._make_current()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End, and leave the exception to whoever catches it."""
        self._make_previous_current()
        self.end(error)

    @property
    def header(self) -> str:
        """Value of ``X-Amzn-Trace-Id`` for whatever is called in it; empty where there is no trace."""
        return self._header() or ""

    def annotate(self, key: str, value: str | bool | float) -> None:
        """Add what the trace can be found by: ``annotation.key = "value"``. Keys are letters, digits and ``_``."""
        self._set(annotation, key, value)

    def add_metadata(self, key: str, value: object) -> None:
        """Add what the trace cannot be found by, of whatever shape. What is in it, anybody with the trace can read."""
        self._set(metadata, key, value)

    @harmless
    def set_response(self, status: int, size: int | None = None) -> None:
        """Say with which status, and how many bytes, HTTP answered; 4xx, 429 and 5xx become X-Ray's flags."""
        self._span.set_attribute(STATUS, status)
        if size is not None:
            self._span.set_attribute(SIZE, size)

    @harmless
    def set_answer(self, answer: object) -> None:
        """Take the status out of a handler's answer to Amazon API Gateway, or to a function URL."""
        # API Gateway takes a number and a text alike.
        status = str(answer.get("statusCode")) if isinstance(answer, dict) else ""
        if status.isascii() and status.isdecimal():
            self.set_response(int(status))

    @harmless
    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set attributes as OpenTelemetry's exporter for X-Ray reads them."""
        self._span.set_attributes(attributes)

    @harmless
    def add_exception(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Add an exception that is no exception of Python, such as an error that a service answered."""
        self._span.add_event(EXCEPTION, attributes)

    @harmless
    def begin(self) -> None:
        """Begin without becoming current."""
        parent = self._parent or self._tracer.context()
        if parent is None:
            return
        span = trace.get_current_span(parent)
        if span.get_span_context().trace_flags.sampled:
            span = self._span = self._tracer.start(self._name, context=parent, **self._options)
        self.context = trace.set_span_in_context(span, parent)

    def end(self, error: BaseException | None = None) -> None:
        """End, because of ``error`` if there is one."""
        # A generator that nobody reads to its end was not at fault.
        if error and self._span.is_recording() and not isinstance(error, GeneratorExit):
            self._record(error)
        self._end()

    @harmless
    def _header(self) -> str:
        return write_header(trace.get_current_span(self.context).get_span_context()) if self.context else ""

    @harmless
    def _set(self, make: Callable[[str, object], tuple[str, AttributeValue]], key: str, value: object) -> None:
        if self._span.is_recording():
            self._span.set_attribute(*make(key, value))

    @harmless
    def _record(self, error: BaseException) -> None:
        self._span.set_status(Status(StatusCode.ERROR))
        for attributes in described(error):
            self._span.add_event(EXCEPTION, attributes)

    @harmless
    def _end(self) -> None:
        if self._span.is_recording():
            self._span.end()

    @harmless
    def _make_current(self) -> None:
        if self.context is not None:
            self._before = attach(self.context)

    @harmless
    def _make_previous_current(self) -> None:
        if self._before is not None:
            detach(self._before)
