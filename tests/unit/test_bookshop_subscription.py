"""A subscription: what AppSync is sent before it tells of a change, and what is said when it tells of none."""

from __future__ import annotations

import base64
import json
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from websockets.sync.server import Server, ServerConnection, serve

from lab.bookshop.signing import Bearer, SignedRequests
from lab.bookshop.subscription import Change, changes
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSION = boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example", region_name="eu-west-1")
HEARD = {"id": "emma", "title": "Emma", "version": 2}
UNAUTHORIZED = {"errorType": "UnauthorizedException", "message": "You are not authorized to make this call."}


class AppSync:
    """AppSync's side of the protocol, on this machine."""

    def __init__(self, *answers: dict[str, Any], lets_in: bool = True) -> None:
        self.answers = answers
        self.lets_in = lets_in
        self.subprotocol: str | None = None
        self.connect: dict[str, str] = {}
        self.start: dict[str, Any] = {}
        self.stopped = False

    def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        self.subprotocol = connection.subprotocol
        self.connect = json.loads(base64.b64decode(query["header"][0]))
        assert json.loads(connection.recv())["type"] == "connection_init"
        if not self.lets_in:
            connection.send(json.dumps({"type": "connection_error", "payload": {"errors": [UNAUTHORIZED]}}))
            return
        connection.send(json.dumps({"type": "connection_ack", "payload": {"connectionTimeoutMs": 300_000}}))
        self.start = json.loads(connection.recv())
        for answer in self.answers:
            connection.send(json.dumps({"id": self.start["id"], **answer}))
        for message in connection:
            if json.loads(message)["type"] == "stop":
                self.stopped = True
                connection.send(json.dumps({"id": self.start["id"], "type": "complete"}))


@contextmanager
def listening(appsync: AppSync) -> Iterator[str]:
    server: Server
    with serve(appsync.serve, "127.0.0.1", 0, subprotocols=["graphql-ws"]) as server:  # type: ignore[list-item]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/graphql"
        server.shutdown()
        thread.join()


@contextmanager
def proxy_for_everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have a proxy for every address, as macOS and Windows may have; it notes what it is asked for, and refuses it."""
    asked: list[str] = []

    class Refusing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().decode().strip())
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Refusing) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setattr("urllib.request.getproxies", lambda: {"http": address, "https": address})
        monkeypatch.setattr("urllib.request.proxy_bypass", lambda _: False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


def heard(appsync: AppSync, *, auth: SignedRequests | Bearer | None = None, seconds: float = 10) -> Change | None:
    with listening(appsync) as url, changes(url, auth or SignedRequests(SESSION), "emma") as found:
        return found.next(seconds)


def data(change: Change) -> dict[str, Any]:
    return {"type": "data", "payload": {"data": {"onBookChanged": change}}}


def test_a_connection_that_is_refused_is_said_to_be() -> None:
    with pytest.raises(LabError, match=r"AppSync ended the subscription: .*not authorized to make this call"):
        heard(AppSync(lets_in=False))


def test_a_subscription_that_is_refused_is_said_to_be() -> None:
    error = {"errorType": "UnauthorizedException", "message": "Permission denied"}

    with pytest.raises(LabError, match=r"AppSync ended the subscription: .*Permission denied"):
        heard(AppSync({"type": "error", "payload": {"errors": [error]}}))


def test_nobody_who_listens_is_said_to_be() -> None:
    with listening(AppSync()) as url:
        pass

    with (
        changes(url, SignedRequests(SESSION), "emma") as found,
        pytest.raises(LabError, match="ended the subscription"),
    ):
        found.next(10)


def test_a_subscription_that_appsync_completes_is_said_to_be_ended_whenever_it_is_asked() -> None:
    appsync = AppSync(data(HEARD), {"type": "complete"})

    with listening(appsync) as url, changes(url, SignedRequests(SESSION), "emma") as found:
        assert found.next(10) == HEARD
        for _ in range(2):
            with pytest.raises(LabError, match="AppSync ended the subscription: it is complete"):
                found.next(10)


def test_an_answer_that_is_no_change_fails_for_whoever_waits() -> None:
    with pytest.raises(KeyError, match="onBookChanged"):
        heard(AppSync({"type": "data", "payload": {"data": {"onOther": HEARD}}}))


def test_credentials_that_are_missing_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = boto3.Session(region_name="eu-west-1")
    monkeypatch.setattr(nobody, "get_credentials", lambda: None)

    with pytest.raises(LabError, match="no AWS credentials"):
        heard(AppSync(), auth=SignedRequests(nobody))


def test_a_machine_that_has_a_proxy_for_everything_listens_to_itself_without(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy_for_everything(monkeypatch) as asked:
        assert heard(AppSync(data(HEARD))) == HEARD

    assert asked == []


def test_appsync_itself_is_reached_by_theproxy_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        proxy_for_everything(monkeypatch) as asked,
        changes("wss://api.example.com/graphql", SignedRequests(SESSION), "emma") as found,
        pytest.raises(LabError, match="ended the subscription"),
    ):
        found.next(10)

    assert asked == ["CONNECT api.example.com:443 HTTP/1.1"]


def test_silence_ends_in_time() -> None:
    assert heard(AppSync({"type": "start_ack"}, {"type": "ka"}), seconds=0.5) is None


def test_what_is_changed_is_heard_of_in_order_until_nobody_listens() -> None:
    appsync = AppSync({"type": "start_ack"}, {"type": "ka"}, data(HEARD), data({**HEARD, "version": 3}))

    with listening(appsync) as url, changes(url, SignedRequests(SESSION), "emma") as found:
        assert [found.next(10), found.next(10)] == [HEARD, {**HEARD, "version": 3}]

    asked = json.loads(appsync.start["payload"]["data"])
    assert (asked["variables"], appsync.start["type"]) == ({"id": "emma"}, "start")
    assert appsync.subprotocol == "graphql-ws"
    assert appsync.stopped


def test_both_messages_are_signed_for_appsync_with_the_credentials_of_the_session() -> None:
    appsync = AppSync(data(HEARD))
    heard(appsync)

    connect, start = appsync.connect["Authorization"], appsync.start["payload"]["extensions"]["authorization"]
    for signature in (connect, start["Authorization"]):
        assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
        assert "/eu-west-1/appsync/aws4_request" in signature
    assert connect != start["Authorization"]


def test_who_signed_in_sends_the_token_with_both_messages() -> None:
    appsync = AppSync(data(HEARD))
    heard(appsync, auth=Bearer("a.b.c"))

    assert appsync.connect["Authorization"] == "a.b.c"
    assert appsync.start["payload"]["extensions"]["authorization"]["Authorization"] == "a.b.c"
