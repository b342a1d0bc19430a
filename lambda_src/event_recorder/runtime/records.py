"""Makes an event the item of a DynamoDB table, and puts it there."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

# Not boto3, which would load the transfer manager of Amazon S3 too: a sixth of the cold start.
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

if not os.environ.get("TABLE_NAME"):
    raise RuntimeError("TABLE_NAME is not set: give the function the name of the table that it writes to.")

KEPT_SECONDS = 7 * 24 * 3600

# Three attempts end before the 5 s after which an API destination is not waited for.
_config = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 3})
dynamodb = cast("DynamoDBClient", botocore.session.get_session().create_client("dynamodb", config=_config))


class InvalidEventError(ValueError):
    """Says what is wrong with an event, and never quotes it."""


def record(rule: object, event: object, *, made_id: str) -> str:
    """Put the event into the table, under its id and the name of the rule, and return the id.

    An event that is delivered again, as EventBridge and AWS Lambda may do, replaces the item of the first time.

    :param made_id: the id of an event that has none, the same each time that it is delivered.
    :raises InvalidEventError: when it lacks what every event has.
    """
    if not isinstance(event, dict):
        raise InvalidEventError("the event is no object")
    now = time.time()
    item = {
        "EventId": _text("id", event.get("id", made_id)),
        "Rule": _text("rule", rule),
        "Source": _text("source", event.get("source")),
        "DetailType": _text("detail-type", event.get("detail-type")),
        "Time": _text("time", event.get("time", _iso(now))),
        "Event": json.dumps(event, ensure_ascii=False),
    }
    attributes: dict[str, Any] = {name: {"S": value} for name, value in item.items()}
    attributes["ExpiresAt"] = {"N": str(int(now) + KEPT_SECONDS)}
    dynamodb.put_item(TableName=os.environ["TABLE_NAME"], Item=attributes)
    return item["EventId"]


def _text(field: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidEventError(f"{field} is missing, empty or not text")
    return value


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
