"""Subscribes to changes of books, over a WebSocket with AppSync's own protocol, which the library gql knows.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gql import Client, GraphQLRequest
from gql.transport.appsync_auth import AppSyncAuthentication, AppSyncIAMAuthentication, AppSyncJWTAuthentication
from gql.transport.appsync_websockets import AppSyncWebsocketsTransport
from gql.transport.exceptions import TransportError

from lab.bookshop.signing import Bearer, SignedRequests
from lab.errors import LabError
from lab.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUERY = "subscription changes($id: ID) { onBookChanged(id: $id) { id title version cost } }"

Change = dict[str, Any]


class Changes:
    """The changes that a subscription has sent, and last why there are no more."""

    def __init__(self) -> None:
        self.heard: queue.Queue[Change | Exception] = queue.Queue()

    def next(self, seconds: float) -> Change | None:
        """Return the next change, or None when none is heard of in time.

        :raises LabError: when AppSync refuses the subscription, or has ended it.
        """
        try:
            heard = self.heard.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(heard, Exception):
            self.heard.put(heard)  # it stays the last word, for whoever asks again
            raise heard
        return heard


@contextmanager
def changes(url: str, auth: SignedRequests | Bearer, book_id: str) -> Iterator[Changes]:
    """Subscribe to the changes of one book, until the block ends.

    What was changed before AppSync knew of the subscription, nobody hears of.

    :param url: of the API's real-time endpoint.
    :param auth: who subscribes.
    """
    # Here, so that credentials that are missing are said to whoever subscribes.
    authentication = _authentication(url, auth)
    found, loop = Changes(), asyncio.new_event_loop()
    listening = loop.create_task(_listen(url, authentication, book_id, found))

    def run() -> None:
        with contextlib.closing(loop), contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(listening)

    thread = threading.Thread(target=run, name="subscription")
    thread.start()
    try:
        yield found
    finally:
        with contextlib.suppress(RuntimeError):  # AppSync ended it, and the loop is closed
            loop.call_soon_threadsafe(listening.cancel)
        thread.join()


async def _listen(url: str, authentication: AppSyncAuthentication, book_id: str, found: Changes) -> None:
    try:
        # Made here, as it belongs to the loop that runs it.
        transport = AppSyncWebsocketsTransport(url, auth=authentication, connect_args=_connecting(url))
        async with Client(transport=transport) as subscriber:
            async for change in subscriber.subscribe(GraphQLRequest(_QUERY, variable_values={"id": book_id})):
                found.heard.put(change["onBookChanged"])
        found.heard.put(LabError("AppSync ended the subscription: it is complete"))
    except (TransportError, OSError, asyncio.TimeoutError) as error:
        found.heard.put(LabError(f"AppSync ended the subscription: {error or type(error).__name__}"))
    except Exception as error:  # told to whoever waits for a change: the thread has nobody to tell
        found.heard.put(error)


def _connecting(url: str) -> dict[str, Any]:
    """Keep what stays on this machine from a proxy, which macOS and Windows may have for every address."""
    return {"proxy": None} if is_loopback(url) else {}


def _authentication(url: str, auth: SignedRequests | Bearer) -> AppSyncAuthentication:
    host = urlsplit(url).netloc
    if isinstance(auth, SignedRequests):
        return AppSyncIAMAuthentication(
            host,
            region_name=auth.region,
            credentials=auth.credentials(),  # type: ignore[arg-type]  # signed with as they are
        )
    return AppSyncJWTAuthentication(host, auth.token)
