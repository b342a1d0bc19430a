"""A subscription: what AppSync is sent before it tells of a change, and what is said when it tells of none."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from websockets.sync.server import Server, ServerConnection, serve

from lab.bookshop import subscription
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SESSION = boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example", region_name="eu-west-1")
HEARD = {"id": "emma", "title": "Emma", "version": 2}


class AppSync:
    """AppSync's side of the protocol, on this machine."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = answers
        self.subprotocol: str | None = None
        self.connect: dict[str, str] = {}
        self.start: dict[str, Any] = {}
        self.changed = threading.Event()

    def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        self.subprotocol = connection.subprotocol
        self.connect = json.loads(base64.b64decode(query["header"][0]))
        assert json.loads(connection.recv())["type"] == "connection_init"
        connection.send(json.dumps({"type": "connection_ack", "payload": {"connectionTimeoutMs": 300_000}}))
        self.start = json.loads(connection.recv())
        self.changed.wait(10)
        for answer in self.answers:
            connection.send(json.dumps({"id": self.start["id"], **answer}))
        for message in connection:
            if json.loads(message)["type"] == "stop":
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


def heard(appsync: AppSync, change: Callable[[], object], **options: Any) -> dict[str, Any]:
    with listening(appsync) as url:
        return subscription.first_change(url, SESSION, "emma", change, **options)


def test_a_subscription_that_is_refused_is_said_to_be() -> None:
    error = {"errorType": "UnauthorizedException", "message": "Permission denied"}
    appsync = AppSync({"type": "error", "payload": {"errors": [error]}})

    with pytest.raises(LabError, match=r"AppSync ended the subscription: .*Permission denied"):
        heard(appsync, appsync.changed.set)


def test_silence_ends_in_time() -> None:
    appsync = AppSync({"type": "start_ack"}, {"type": "ka"})

    with pytest.raises(LabError, match="heard within 2 s"):
        heard(appsync, appsync.changed.set, seconds=2)


def test_what_is_changed_is_heard_of() -> None:
    data = {"type": "data", "payload": {"data": {"onBookChanged": HEARD}}}
    appsync = AppSync({"type": "start_ack"}, {"type": "ka"}, data)

    assert heard(appsync, appsync.changed.set) == HEARD
    asked = json.loads(appsync.start["payload"]["data"])
    assert (asked["variables"], appsync.start["type"]) == ({"id": "emma"}, "start")
    assert appsync.subprotocol == "graphql-ws"


def test_both_messages_are_signed_for_appsync_with_the_credentials_of_the_session() -> None:
    appsync = AppSync({"type": "data", "payload": {"data": {"onBookChanged": HEARD}}})
    heard(appsync, appsync.changed.set)

    connect, start = appsync.connect["Authorization"], appsync.start["payload"]["extensions"]["authorization"]
    for signature in (connect, start["Authorization"]):
        assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
        assert "/eu-west-1/appsync/aws4_request" in signature
    assert connect != start["Authorization"]
