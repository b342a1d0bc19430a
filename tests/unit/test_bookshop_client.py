"""The client of the bookshop's graph is what its schema and its operations make of it, and signs what it sends."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

import boto3
import httpx
import pytest
from graphql import build_schema, parse, validate

from docs import graphql_client
from lab.bookshop import connection
from lab.bookshop.signing import SignedRequests
from lab.errors import LabError
from lab.project import ROOT
from lambda_src import bookshop
from lambda_src.graphql_api.schema import APPSYNC

if TYPE_CHECKING:
    from pathlib import Path

    from lab.deployment import Deployment


def test_the_client_is_up_to_date(tmp_path: Path) -> None:
    package = tmp_path / "client"

    graphql_client.write(package)

    assert _files(package) == _files(graphql_client.CLIENT), "`make docs` writes it"


def test_what_the_page_asks_of_the_graph_the_graph_has() -> None:
    texts = [path.read_text() for path in (APPSYNC, bookshop.FOLDER / "schema.graphql")]
    schema = build_schema("\n".join(texts))
    page = (ROOT / "docs" / "sections" / "appsync.md").read_text()
    operations = re.findall(r"^```graphql\n(.*?)^```$|/\* GraphQL \*/ `(.*?)`", page, flags=re.S | re.M)

    assert len(operations) >= 2
    for fenced, embedded in operations:
        assert validate(schema, parse(fenced or embedded)) == []


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


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("")])
def test_a_request_that_is_not_answered_is_said_so(
    monkeypatch: pytest.MonkeyPatch, error: httpx.TransportError
) -> None:
    session = boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="none", region_name="eu-west-1")
    target = SimpleNamespace(session=session)
    monkeypatch.setattr(connection, "address", lambda _: "http://127.0.0.1:4566/graphql")
    monkeypatch.setattr(httpx.Client, "post", Mock(side_effect=error))

    with (
        pytest.raises(LabError, match=rf"AppSync did not answer at http://127\S+: {str(error) or 'ReadTimeout'}$"),
        connection.connected(cast("Deployment", SimpleNamespace(target=target))) as shop,
    ):
        shop.execute("{ book { id } }")


def _files(package: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in package.glob("*.py")}
