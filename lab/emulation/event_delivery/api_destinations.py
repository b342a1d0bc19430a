"""Calls an API destination, again and again if the answer is worth it.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge

from lab.emulation.event_delivery.dead_letters import bury
from lab.emulation.event_delivery.delivery import DeliveryError

if TYPE_CHECKING:
    from lab.emulation.event_delivery.delivery import Delivery

HOOKS = [
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.services.eventbridge._api_destination_send_sync(request, auth_headers)",
    "ministack.services.eventbridge._api_destinations",
    "ministack.services.eventbridge._build_api_destination_request(dest, conn, target_http_params, payload)",
    "ministack.services.eventbridge._connection_auth_headers(conn, token_key, force_refresh)",
    "ministack.services.eventbridge._connections",
]
_RETRIED = {401, 407, 409, 429}
_LONGEST_PAUSE = 0.25


def deliver(delivery: Delivery, name: str, payload: str, parameters: dict[str, Any] | None) -> None:
    """Call the destination ``name`` until it takes the payload, or the target's retry policy is exhausted.

    :param parameters: of HTTP, with the event's own values in them.
    """
    policy = delivery.target.get("RetryPolicy") or {}
    most, oldest = int(policy.get("MaximumRetryAttempts", 185)), int(policy.get("MaximumEventAgeInSeconds", 86_400))
    deadline, retries, pause = time.monotonic() + oldest, 0, 0.05
    while True:
        try:
            return _attempt(name, payload, parameters or {}, is_retry=retries > 0)
        except DeliveryError as error:
            if not error.retried:
                return bury(delivery, error)
            if retries >= most:
                return bury(delivery, error, retries, "MaximumRetryAttempts")
            if time.monotonic() + pause > deadline:
                return bury(delivery, error, retries, "MaximumEventAgeInSeconds")
        time.sleep(pause)
        retries, pause = retries + 1, min(2 * pause, _LONGEST_PAUSE)


def _attempt(name: str, payload: str, parameters: dict[str, Any], *, is_retry: bool) -> None:
    destination = eventbridge._api_destinations.get(name)
    connection = eventbridge._connections.get(destination["ConnectionArn"].split("/")[1]) if destination else None
    if destination is None or connection is None:
        raise DeliveryError("NO_RESOURCE", f"The API destination {name} or its connection does not exist.")
    for what, state in (
        ("destination", destination["ApiDestinationState"]),
        ("connection", connection["ConnectionState"]),
    ):
        if state not in ("ACTIVE", "AUTHORIZED"):
            raise DeliveryError("SDK_CLIENT_ERROR", f"The {what} is {state}.", retried=True)
    request = eventbridge._build_api_destination_request(destination, connection, parameters, payload)
    key = (get_account_id(), get_region(), connection["Name"])
    try:
        # By OAuth, a token that is no longer good may be why the attempt before was refused.
        credentials = eventbridge._connection_auth_headers(connection, key, force_refresh=is_retry)
        status = eventbridge._api_destination_send_sync(request, credentials)
    except (OSError, ValueError, HTTPException) as error:
        raise DeliveryError(
            "SDK_CLIENT_ERROR",
            f"Unable to invoke ApiDestination endpoint: API destination endpoint cannot be reached ({error}).",
            retried=True,
        ) from error
    if not 200 <= status < 300:
        raise DeliveryError(
            "SDK_CLIENT_ERROR",
            f"Unable to invoke ApiDestination endpoint: API destination returned HTTP status {status}.",
            retried=status in _RETRIED or status >= 500,
        )
