"""Serves X-Ray's API on 127.0.0.1, for the programs of this machine."""

from __future__ import annotations

import json
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lab.loopback import is_loopback
from lab.xray.parameters import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.xray.api import Api

# 50 documents of 64 KB, written as strings in JSON.
_LARGEST_REQUEST = 8 * 1024 * 1024


class Server(ThreadingHTTPServer):
    """The API's HTTP server.

    :param port: taken if it is free, else any.
    :param health: says how the service is, at `/_xray/health`.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: Api, port: int, health: Callable[[], Mapping[str, Any]]) -> None:
        self.api = api
        self.health = health
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError:
            super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    # Seconds, after which a connection on which nothing is said no longer keeps a thread.
    timeout = 60
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._respond(self._health)

    def do_POST(self) -> None:
        self._respond(lambda: self.server.api.answer(urlsplit(self.path).path, self._body()))

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: a log of every request would only grow."""

    def _health(self) -> Mapping[str, Any]:
        if self.path != "/_xray/health":
            raise ApiError(f"The local X-Ray has no operation at GET {self.path}.", "UnknownOperationException", 404)
        return self.server.health()

    def _respond(self, answer: Callable[[], Mapping[str, Any]]) -> None:
        try:
            self._refuse_pages_of_other_sites()
            self._send(200, answer())
        except ApiError as error:
            self._send(error.status, {"Message": error.message}, error.code)
        except Exception:  # The next request may be one that works.
            traceback.print_exc()
            self._send(500, {"Message": "The local X-Ray failed: its log says how."}, "InternalFailure")

    def _refuse_pages_of_other_sites(self) -> None:
        # A page in a browser on this machine could otherwise read and write traces.
        origin, host = self.headers.get("Origin"), self.headers.get("Host")
        urls = [*([origin] if origin is not None else []), *([f"//{host}"] if host is not None else [])]
        if not all(map(is_loopback, urls)):
            self.close_connection = True
            raise ApiError("The local X-Ray answers programs of this machine alone.", "AccessDeniedException", 403)

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _LARGEST_REQUEST:
            self.close_connection = True
            raise ApiError(f"Content-Length is {length!r}: a number of bytes, {_LARGEST_REQUEST:,} at most.")
        body = self.rfile.read(int(length))
        try:
            return json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise ApiError(f"The request is not JSON: {error}", "SerializationException") from None

    def _send(self, status: int, content: Mapping[str, Any], error: str | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
