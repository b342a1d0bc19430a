"""The client of the bookshop's graph is what its schema and its operations make of it, and signs what it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import httpx

from docs import graphql_client
from lab.bookshop.connection import SignedRequests

if TYPE_CHECKING:
    from pathlib import Path


def test_the_client_is_up_to_date(tmp_path: Path) -> None:
    package = tmp_path / "client"

    graphql_client.write(package)

    assert _files(package) == _files(graphql_client.CLIENT), "`make docs` writes it"


def test_a_request_is_signed_for_appsync() -> None:
    session = boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="none", region_name="eu-west-1")
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    with httpx.Client(auth=SignedRequests(session), transport=httpx.MockTransport(answer)) as http:
        http.post("https://api.example.com/graphql", json={"query": "{ book { id } }"})

    [request] = sent
    credential, signed, _ = request.headers["authorization"].split(", ")
    assert credential.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert credential.endswith("/eu-west-1/appsync/aws4_request")
    assert signed == "SignedHeaders=content-type;host;x-amz-date"


def _files(package: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in package.glob("*.py")}
