"""Connects the client to a deployed bookshop, with requests that are signed (SigV4) or have a token."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, cast

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from lab.bookshop.client import BookshopClient
from lab.errors import LabError
from lab.loopback import is_loopback
from lab.target import TargetName

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import boto3
    from botocore.credentials import ReadOnlyCredentials

    from lab.bookshop.client.base_client import HttpClient
    from lab.bookshop.client.exceptions import GraphQLClientGraphQLMultiError
    from lab.deployment import Deployment

_SECONDS = 35  # AppSync itself gives up after 30


class SignedRequests(httpx.Auth):
    """Signs every request with a session's credentials, for AppSync.

    Source: https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-iam-authorization
    """

    requires_request_body = True

    def __init__(self, session: boto3.Session) -> None:
        self._session = session

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature's headers."""
        headers = {"content-type": request.headers["content-type"]}
        signed = AWSRequest(request.method, str(request.url), data=request.content, headers=headers)
        SigV4Auth(self.credentials(), "appsync", self.region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request

    def credentials(self) -> ReadOnlyCredentials:
        """Return what is signed with.

        :raises LabError: when there is nothing.
        """
        found = self._session.get_credentials()
        if found is None:
            raise LabError("There are no AWS credentials: log in, then again.")
        return found.get_frozen_credentials()

    @property
    def region(self) -> str:
        """Name the region that is signed for."""
        return self._session.region_name


class Bearer(httpx.Auth):
    """Sends a token of the user pool with every request; without one, nothing."""

    def __init__(self, token: str) -> None:
        self.token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        if self.token:
            request.headers["Authorization"] = self.token
        yield request


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
