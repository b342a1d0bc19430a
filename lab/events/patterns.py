"""Event patterns: whether EventBridge takes one, and what it says of an event."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3


@contextmanager
def accepted(client: Any) -> Iterator[None]:
    """Ask EventBridge something about a pattern inside the ``with`` block.

    :raises UsageError: for a pattern that it does not take, with its reason.
    """
    try:
        yield
    except client.exceptions.InvalidEventPatternException as error:
        raise UsageError(f"EventBridge does not take the pattern: {error.response['Error']['Message']}") from None


def matches(session: boto3.Session, pattern: Any, event: Any) -> bool:
    """Ask EventBridge whether a pattern matches an event; what every event has, it need not say.

    :raises UsageError: when it takes one of the two for none.
    """
    for name, value in (("pattern", pattern), ("event", event)):
        if not isinstance(value, dict):
            raise UsageError(f"--{name} must be a JSON object.")
    client = session.client("events")
    whole = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "account": "000000000000",
        "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": session.region_name,
        "resources": [],
        "source": "",
        "detail-type": "",
        "detail": {},
        **event,
    }
    with accepted(client):
        return bool(client.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(whole))["Result"])
