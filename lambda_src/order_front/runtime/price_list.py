"""Asks a service outside what an item costs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from botocore.session import Session

_CONNECT_SECONDS = 1
_READ_SECONDS = 3


class NoPriceError(Exception):
    """The service did not say what the item costs."""


class PriceList:
    """A service that answers ``GET ?item=book`` with ``{"cents": 1234}``.

    :param session: signs the requests, if the service is a function URL with ``AWS_IAM``.
    """

    def __init__(self, url: str, session: Session | None = None) -> None:
        self._url = url
        self._session = session
        # Whoever ordered is waiting: a second attempt is theirs to decide on. Redirects are not followed.
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS), retries=False
        )

    def cents(self, item: str) -> int:
        """Return the price of ``item``.

        :raises NoPriceError: saying why there is none.
        """
        url = f"{self._url}?{urlencode({'item': item})}"
        try:
            response = self._http.request("GET", url, headers=self._authorization(url))
        except urllib3.exceptions.HTTPError as error:
            raise NoPriceError(type(error).__name__) from error
        if response.status != 200:
            raise NoPriceError(f"status {response.status}")
        try:
            return int(json.loads(response.data)["cents"])
        except (KeyError, TypeError, ValueError):
            raise NoPriceError("an answer without cents") from None

    def _authorization(self, url: str) -> dict[str, str]:
        credentials = self._session and self._session.get_credentials()
        if not (self._session and credentials):
            return {}
        request = AWSRequest("GET", url)
        SigV4Auth(credentials, "lambda", self._session.get_config_variable("region")).add_auth(request)
        return dict(request.headers)
