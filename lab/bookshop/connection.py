"""Connects the client to the bookshop that `lab` deployed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, cast

import httpx

from lab.bookshop.client import BookshopClient
from lab.bookshop.signing import SignedRequests
from lab.errors import LabError
from lab.loopback import is_loopback
from lab.target import TargetName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bookshop.client.base_client import HttpClient
    from lab.bookshop.client.exceptions import GraphQLClientGraphQLMultiError
    from lab.deployment import Deployment

_SECONDS = 35  # AppSync itself gives up after 30


@contextmanager
def connected(deployed: Deployment, auth: httpx.Auth | None = None) -> Iterator[BookshopClient]:
    """Connect to the section's API: by default as the caller of ``lab``, and as whoever ``auth`` says otherwise.

    :raises LabError: from within the block, when a request is not answered.
    """
    url = address(deployed)
    signs = auth or SignedRequests(deployed.target.session)
    try:
        with httpx.Client(auth=signs, timeout=_SECONDS, trust_env=False) as http:
            yield BookshopClient(url=url, http_client=cast("HttpClient", http))
    except httpx.TransportError as error:
        raise LabError(f"AppSync did not answer at {url}: {str(error) or type(error).__name__}") from error


def address(deployed: Deployment, endpoint: Literal["GRAPHQL", "REALTIME"] = "GRAPHQL") -> str:
    """Ask AppSync where the API is: locally the emulator's port can be another one since the deployment.

    :param endpoint: for requests, or for subscriptions.
    :raises LabError: when a local run would leave this machine.
    """
    api = deployed.client("appsync").get_graphql_api(apiId=deployed.output("ApiId"))["graphqlApi"]
    url = str(api["uris"][endpoint])
    if deployed.target.name is TargetName.LOCAL and not is_loopback(url):
        raise LabError(f"A local run was about to call {url}: refused. It reaches the emulator alone.")
    return url


def error_types(error: GraphQLClientGraphQLMultiError) -> list[str]:
    """Name the types of errors that the API answered: what a client acts on."""
    return [str((one.original or {}).get("errorType")) for one in error.errors]
