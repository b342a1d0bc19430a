"""Subscribes to changes of books, over a WebSocket with AppSync's own protocol, which the library gql knows.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gql import Client, GraphQLRequest
from gql.transport.appsync_auth import AppSyncIAMAuthentication
from gql.transport.appsync_websockets import AppSyncWebsocketsTransport
from gql.transport.exceptions import TransportError

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

_QUERY = "subscription changes($id: ID) { onBookChanged(id: $id) { id title version } }"
# Seconds between two changes: what was changed before AppSync knew of the subscription, nobody hears of.
_PAUSE = 2.0


def first_change(
    url: str, session: boto3.Session, book_id: str, change: Callable[[], object], *, seconds: float = 60
) -> dict[str, Any]:
    """Subscribe to the changes of one book, and return the first that is heard of.

    :param url: of the API.
    :param session: whose credentials sign the subscription.
    :param change: changes books; it is called again and again, until one is heard of.
    :param seconds: how long.
    :raises LabError: when AppSync refuses the subscription, or nothing is heard in time.
    """
    try:
        return asyncio.run(_first_change(_transport(url, session), book_id, change, seconds))
    except TransportError as error:
        raise LabError(f"AppSync ended the subscription: {error}") from error


def _transport(url: str, session: boto3.Session) -> AppSyncWebsocketsTransport:
    credentials = session.get_credentials()
    if credentials is None:
        raise LabError("There are no AWS credentials: log in, then again.")
    signing = AppSyncIAMAuthentication(
        urlsplit(url).netloc,
        region_name=session.region_name,
        credentials=credentials.get_frozen_credentials(),  # type: ignore[arg-type]  # signed with as they are
    )
    return AppSyncWebsocketsTransport(url, auth=signing)


async def _first_change(
    transport: AppSyncWebsocketsTransport, book_id: str, change: Callable[[], object], seconds: float
) -> dict[str, Any]:
    async with Client(transport=transport) as subscriber:
        changes = subscriber.subscribe(GraphQLRequest(_QUERY, variable_values={"id": book_id}))
        first = asyncio.ensure_future(anext(changes))
        for _ in range(int(seconds / _PAUSE)):
            await asyncio.to_thread(change)
            await asyncio.wait([first], timeout=_PAUSE)
            if first.done():
                heard: dict[str, Any] = first.result()["onBookChanged"]
                await changes.aclose()  # otherwise the client waits for more of them before it goes
                return heard
        first.cancel()
    raise LabError(f"Of no change was anything heard within {seconds:g} s.")
