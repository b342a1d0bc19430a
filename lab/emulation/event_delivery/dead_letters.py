"""What becomes of an event that was not delivered: the target's dead-letter queue, with the reason as attributes.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ministack.services import sqs

from lab.emulation.event_delivery.delivery import DeliveryError
from lab.emulation.event_delivery.permissions import require_dead_letter_permission

if TYPE_CHECKING:
    from lab.emulation.event_delivery.delivery import Delivery

HOOKS = [
    "ministack.services.sqs._act_send_message(data, qurl)",
    "ministack.services.sqs._queue_by_arn(arn)",
]
_log = logging.getLogger("events")


def bury(delivery: Delivery, error: DeliveryError, retries: int = 0, exhausted: str | None = None) -> None:
    """Send what was not delivered to the target's dead-letter queue, if there is one and it may be sent to."""
    arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
    said = f"{delivery.sender['Arn']} -> {delivery.target.get('Arn')}: {error.code}: {error}"
    if arn is None:
        _log.warning("EventBridge dropped an event, as its target has no dead-letter queue: %s", said)
        return
    queue = sqs._queue_by_arn(arn)
    try:
        if queue is None:
            raise DeliveryError("NO_RESOURCE", f"{arn} does not exist.")
        require_dead_letter_permission(delivery, arn, queue["attributes"].get("Policy"))
    except DeliveryError as refusal:
        _log.warning("EventBridge dropped an event, as its dead-letter queue does not take it: %s; %s", refusal, said)
        return
    attributes = _attributes(delivery, error, retries, exhausted)
    message = {
        "MessageBody": delivery.body,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        },
    }
    sqs._act_send_message(message, queue["url"])


def _attributes(delivery: Delivery, error: DeliveryError, retries: int, exhausted: str | None) -> dict[str, str | None]:
    common = {
        "TARGET_ARN": str(delivery.target.get("Arn")),
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": str(error),
        "RETRY_ATTEMPTS": str(retries),
        "EXHAUSTED_RETRY_CONDITION": exhausted,
    }
    if not delivery.is_scheduled:
        return {"RULE_ARN": delivery.sender["Arn"], **common}
    scheduled = datetime.fromtimestamp(delivery.event["Time"], tz=timezone.utc)
    return {
        "SCHEDULE_ARN": delivery.sender["Arn"],
        **common,
        "SCHEDULED_TIME": scheduled.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "EXECUTION_ID": str(uuid.uuid4()),
        "IS_PAYLOAD_TRUNCATED": "false",
    }
