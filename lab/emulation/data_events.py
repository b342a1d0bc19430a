"""AWS CloudTrail: calls of the RDS Data API, which are data events, as calls of DynamoDB's items are.

MiniStack records calls while ``cloudtrail._recording_enabled`` is set, and these it answers before it comes to that.
An event names the cluster and the secret, and hides the SQL, the database and the schema, as on AWS. A statement's
parameters and transactions, of which AWS documents nothing, are left out; the event's type is the emulator's.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/logging-using-cloudtrail-data-api.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core.router import extract_access_key_id, extract_region

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HOOKS = [
    "ministack.app._handle_rds_data_request(method, path, headers, body, query_params, request_id)",
    "ministack.app._loaded_modules",
    "ministack.core.router.extract_access_key_id(headers, query_params)",
    "ministack.core.router.extract_region(headers, query_params)",
    "ministack.services.cloudtrail._recording_enabled",
    "ministack.services.cloudtrail.record_event"
    "(service, event_name, username, access_key_id, resources, region, request_id, user_agent, request_params, method)",
]
_OPERATIONS = {
    "/Execute": "ExecuteStatement",
    "/BatchExecute": "BatchExecuteStatement",
    "/BeginTransaction": "BeginTransaction",
    "/CommitTransaction": "CommitTransaction",
    "/RollbackTransaction": "RollbackTransaction",
}
_SHOWN = {"continueAfterTimeout", "includeResultMetadata", "resourceArn", "secretArn"}
_HIDDEN = {"database", "schema", "sql"}


def extend() -> None:
    """Record each call that the Data API answered or refused."""
    app._handle_rds_data_request = _recorded(app._handle_rds_data_request)


def _recorded(handle: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle_and_record(  # noqa: PLR0917 - as MiniStack calls it
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any], request_id: str
    ) -> Any:
        response = await handle(method, path, headers, body, query_params, request_id)
        cloudtrail: Any = app._loaded_modules.get("cloudtrail")
        if response is not None and cloudtrail and cloudtrail._recording_enabled:
            key = extract_access_key_id(headers, query_params)
            cloudtrail.record_event(
                service="rdsdataapi",  # as AWS names it for all clusters but those of Aurora Serverless v1
                event_name=_OPERATIONS[path],
                username=key,
                access_key_id=key,
                resources=[],
                region=extract_region(headers, query_params),
                request_id=request_id,
                user_agent=headers.get("user-agent", ""),
                request_params=_told(body),
                method=method,
            )
        return response

    return handle_and_record


def _told(body: bytes) -> dict[str, Any]:
    """Say of a request what its event does."""
    try:
        asked = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(asked, dict):
        return {}
    shown = {name: value for name, value in asked.items() if name in _SHOWN}
    return {**shown, **dict.fromkeys(_HIDDEN & asked.keys(), "**********")}
