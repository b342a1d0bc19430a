"""What lets a request of the bookshop's client in: a signature (SigV4), or a token of the user pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Generator

    import boto3
    from botocore.credentials import ReadOnlyCredentials


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
