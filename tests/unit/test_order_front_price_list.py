"""The price list: what is sent to the service outside, and what becomes of its answers."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import botocore.session
import pytest

from lambda_src.order_front.runtime.price_list import NoPriceError, PriceList

if TYPE_CHECKING:
    from collections.abc import Iterator


class Service(BaseHTTPRequestHandler):
    """Answers as it was told, and keeps what it was asked."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = b'{"cents": 250}'
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Service, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def signing_session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret", "token")
    session.set_config_variable("region", "eu-central-1")
    return session


def test_an_item_is_asked_for_as_it_is_written(url: str) -> None:
    assert PriceList(url).cents("R & D=?") == 250
    assert [path for path, _ in Service.asked] == ["/?item=R+%26+D%3D%3F"]


def test_a_function_url_gets_a_signature_for_lambda_of_its_region(url: str) -> None:
    PriceList(url, signing_session()).cents("book")

    [(_, headers)] = Service.asked
    scope = headers["Authorization"].partition("Credential=")[2].partition(",")[0]
    assert scope.split("/")[2:] == ["eu-central-1", "lambda", "aws4_request"]
    assert headers["X-Amz-Security-Token"] == "token"


def test_the_signature_leaves_room_for_the_tracing_header(url: str) -> None:
    PriceList(url, signing_session()).cents("book")

    [(_, headers)] = Service.asked
    signed = headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    assert "x-amzn-trace-id" not in signed.split(";")


def test_anybody_else_gets_no_credentials(url: str) -> None:
    PriceList(url).cents("book")

    [(_, headers)] = Service.asked
    assert {"Authorization", "X-Amz-Security-Token"}.isdisjoint(headers)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b'{"cents": 250}', "status 500"),
        (429, b"", "status 429"),
        (302, b"", "status 302"),
        (200, b"<html>", "an answer without cents"),
        (200, b"[]", "an answer without cents"),
        (200, b"{}", "an answer without cents"),
        (200, b'{"cents": null}', "an answer without cents"),
        (200, b"\xff", "an answer without cents"),
    ],
)
def test_without_a_price_it_says_why(
    url: str, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, why: str
) -> None:
    monkeypatch.setattr(Service, "status", status)
    monkeypatch.setattr(Service, "body", body)

    with pytest.raises(NoPriceError, match=f"^{why}$"):
        PriceList(url).cents("book")
    assert len(Service.asked) == 1


def test_a_service_that_is_not_there_has_no_price() -> None:
    with pytest.raises(NoPriceError, match=r"^NewConnectionError$"):
        PriceList("http://127.0.0.1:9/").cents("book")
