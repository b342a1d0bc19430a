"""Follows HTTP calls of ``http.client``, and so of ``urllib.request``, and of ``urllib3``, and so of ``requests``.

Each becomes a subsegment, and takes the trace to whom it calls. Whatever carries the header already, as calls of
botocore do, is left to those who put it there.

Not ``opentelemetry-instrumentation-urllib`` and ``-urllib3`` (0.66b1): they record query strings, less four parameters
that do not include ``X-Amz-Signature``, and know nothing of connections of ``http.client``.
"""

from __future__ import annotations

import functools
import http.client
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind

from .documents import METHOD, URL
from .harmless import harmless
from .header import HEADER
from .subsegment import Subsegment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from urllib3 import BaseHTTPResponse
    from urllib3.connectionpool import HTTPConnectionPool

    from .tracer import Tracer

# The call of urllib3 of which a request of http.client is only a part.
_outer: ContextVar[Subsegment | None] = ContextVar("outer", default=None)
# Names of attributes that a connection gets: method and path of a request without the header so far, and its call.
_REQUEST = "_traced_request"
_CALL = "_traced_call"


def follow_http_client(tracer: Tracer) -> None:
    """Trace what goes over connections of ``http.client`` from now on."""
    connection = http.client.HTTPConnection
    putrequest, putheader = connection.putrequest, connection.putheader
    endheaders, getresponse = connection.endheaders, connection.getresponse

    @functools.wraps(putrequest)
    def traced_putrequest(self: http.client.HTTPConnection, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        putrequest(self, method, url, *args, **kwargs)
        setattr(self, _REQUEST, (method, url))

    @functools.wraps(putheader)
    def traced_putheader(self: http.client.HTTPConnection, name: Any, *values: Any) -> None:
        putheader(self, name, *values)
        leave_alone(self, name)

    @functools.wraps(endheaders)
    def traced_endheaders(self: http.client.HTTPConnection, *args: Any, **kwargs: Any) -> None:
        call = begin(self)
        setattr(self, _CALL, call)
        try:
            endheaders(self, *args, **kwargs)
        except BaseException as error:
            if call:
                call.end(error)
            raise

    @functools.wraps(getresponse)
    def traced_getresponse(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
        call: Subsegment | None = self.__dict__.pop(_CALL, None)
        try:
            response = getresponse(self)
        except BaseException as error:
            if call:
                call.end(error)
            raise
        if call:
            _answered(call, response.status, response.getheader("Content-Length"))
        return response

    @harmless
    def leave_alone(self: http.client.HTTPConnection, name: object) -> None:
        if _has_header([name]):
            setattr(self, _REQUEST, None)

    @harmless
    def begin(self: http.client.HTTPConnection) -> Subsegment | None:
        request = self.__dict__.pop(_REQUEST, None)
        if not request or tracer.context() is None:
            return None
        outer = _outer.get()
        call = outer or _begin(tracer, *_server(self), *request)
        if call.header:
            putheader(self, HEADER, call.header)
        return None if outer else call

    connection.putrequest = traced_putrequest  # type: ignore[method-assign]
    connection.putheader = traced_putheader  # type: ignore[method-assign, assignment]
    connection.endheaders = traced_endheaders  # type: ignore[method-assign]
    connection.getresponse = traced_getresponse  # type: ignore[method-assign]


@harmless
def follow_urllib3(tracer: Tracer) -> None:
    """Trace calls of urllib3 as a whole, which begin with a connection and may be retried, if it is in use by now."""
    if "urllib3.connectionpool" in sys.modules:
        _follow_urllib3(tracer)


@functools.cache
def _follow_urllib3(tracer: Tracer) -> None:
    from urllib3.connectionpool import HTTPConnectionPool  # noqa: PLC0415 - only if it is imported anyway

    urlopen = HTTPConnectionPool.urlopen

    @functools.wraps(urlopen)
    def traced_urlopen(
        self: HTTPConnectionPool,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> BaseHTTPResponse:
        call = begin(self, method, url, self.headers if headers is None else headers)
        if call is None:
            return urlopen(self, method, url, body, headers, *args, **kwargs)
        before = _outer.set(call)
        try:
            response = urlopen(self, method, url, body, headers, *args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        finally:
            _outer.reset(before)
        _answered(call, response.status, response.headers.get("Content-Length"))
        return response

    @harmless
    def begin(self: HTTPConnectionPool, method: str, url: str, headers: Iterable[object]) -> Subsegment | None:
        # A retry or a redirect of urllib3's is part of the call that it is made for.
        if tracer.context() is None or _outer.get() or _has_header(headers):
            return None
        return _begin(tracer, self.host, _origin(self.scheme or "http", self.host, self.port), method, url)

    HTTPConnectionPool.urlopen = traced_urlopen  # type: ignore[method-assign]


def _begin(tracer: Tracer, host: str, origin: str, method: str, path: str) -> Subsegment:
    # To a proxy the path is a whole URL.
    url = path if path.startswith("http") else origin + path
    call = Subsegment(tracer, host, kind=SpanKind.CLIENT, attributes={METHOD: method, URL: url})
    call.begin()
    return call


@harmless
def _answered(call: Subsegment, status: int, size: str | None) -> None:
    call.set_response(status, int(size) if size and size.isdecimal() else None)
    call.end()


def _server(connection: http.client.HTTPConnection) -> tuple[str, str]:
    """Tell the host of a connection, and how its URLs begin."""
    scheme = "https" if connection.default_port == http.client.HTTPS_PORT else "http"
    tunnel = getattr(connection, "_tunnel_host", None)
    host = tunnel or connection.host
    return host, _origin(scheme, host, getattr(connection, "_tunnel_port", None) if tunnel else connection.port)


def _origin(scheme: str, host: str, port: int | None) -> str:
    address = f"[{host}]" if ":" in host else host
    return f"{scheme}://{address}" + (f":{port}" if port not in {None, {"http": 80, "https": 443}.get(scheme)} else "")


def _has_header(names: Iterable[object]) -> bool:
    return any((name.decode() if isinstance(name, bytes) else str(name)).lower() == HEADER.lower() for name in names)
