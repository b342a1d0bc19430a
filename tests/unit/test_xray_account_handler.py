"""X-Ray's encryption, set for CloudFormation: what is asked of X-Ray, and that CloudFormation is always answered."""

from __future__ import annotations

import importlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import mock

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):
    account = importlib.import_module("lambda_src.xray_account.runtime.handler")

KEY = "arn:aws:kms:us-east-1:111122223333:key/1"


class CloudFormation(BaseHTTPRequestHandler):
    """Keeps what it was answered."""

    answers: ClassVar[list[dict[str, Any]]] = []
    lengths: ClassVar[list[int]] = []
    content_types: ClassVar[list[str | None]] = []

    def do_PUT(self) -> None:
        self.lengths.append(int(self.headers["Content-Length"]))
        self.answers.append(json.loads(self.rfile.read(self.lengths[-1])))
        self.content_types.append(self.headers["Content-Type"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Xray:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[dict[str, str]] = []

    def put_encryption_config(self, **config: str) -> None:
        self.asked.append(config)
        if self.error:
            raise self.error


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(CloudFormation, "answers", [])
    monkeypatch.setattr(CloudFormation, "lengths", [])
    monkeypatch.setattr(CloudFormation, "content_types", [])
    server = HTTPServer(("127.0.0.1", 0), CloudFormation)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def asked(url: str, kind: str, xray: Xray, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    monkeypatch.setattr(account, "xray", xray)
    event = {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Encryption",
        "ResourceProperties": {"KeyId": KEY},
    }
    account.handler(event, mock.Mock(log_stream_name="stream"))
    return xray.asked


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_the_key_is_set(url: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(url, kind, Xray(), monkeypatch) == [{"Type": "KMS", "KeyId": KEY}]
    assert CloudFormation.answers == [
        {
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": "xray-encryption",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Encryption",
        }
    ]


def test_the_address_is_asked_without_a_content_type(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(url, "Create", Xray(), monkeypatch)

    assert CloudFormation.content_types == [""]


def test_deleted_it_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(url, "Delete", Xray(), monkeypatch) == [{"Type": "NONE"}]


def test_a_refusal_is_told_with_where_to_read_more(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(url, "Create", Xray(RuntimeError("no such key")), monkeypatch)

    [answer] = CloudFormation.answers
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "RuntimeError: no such key. Log stream: stream")


@pytest.mark.parametrize("said", ["x", '"', "山", "🜁"])
def test_a_refusal_is_cut_to_what_cloudformation_takes(url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(url, "Create", Xray(RuntimeError(said * 20_000)), monkeypatch)

    [answer] = CloudFormation.answers
    assert 4000 < CloudFormation.lengths[0] <= 4096
    assert answer["Reason"].startswith(f"RuntimeError: {said * 300}")
    assert answer["Reason"].endswith(f"{said} .... Log stream: stream")
