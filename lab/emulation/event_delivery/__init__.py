"""How EventBridge and its Scheduler deliver: with permission, with retries, and with dead-letter queues.

MiniStack hands an event to every target, whether a policy permits it or not, and drops what cannot be delivered. Here,
as on AWS:

A target is reached only if its resource policy, or the target's role, permits the rule (or the schedule) to. A missing
permission and a missing target are not retried; an API destination that answers 401, 407, 409, 429 or 5xx, or not at
all, is, until the target's retry policy is exhausted. What a function does with an event that it got is not
EventBridge's business.

What was not delivered goes to the target's dead-letter queue with the attributes that AWS documents, if that queue's
policy permits the rule to send: a queue policy that CDK forgot is found here.

Two things differ: retries follow each other within a quarter of a second instead of with a back-off over 24 hours, and
those under way are lost when the emulator stops.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator
from ministack.services import eventbridge, sns

from lab.emulation.event_delivery import api_destinations, dead_letters, delivery, permissions
from lab.emulation.event_delivery.dead_letters import bury
from lab.emulation.event_delivery.delivery import Delivery, DeliveryError
from lab.emulation.event_delivery.permissions import require_target

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.core.iam_evaluator.pin_request_origin(source_ip, secure_transport)",
    "ministack.services.eventbridge._dispatch_to_api_destination(spec, payload, target)",
    "ministack.services.eventbridge._dispatch_to_sns(arn, payload)",
    "ministack.services.eventbridge._invoke_target(target, event, rule, view)",
    "ministack.services.sns.SnsPublishError",
    "ministack.services.sns.publish_internal(topic_arn, message, subject, message_structure, message_attributes, "
    "message_group_id, message_deduplication_id)",
    *delivery.HOOKS,
    *permissions.HOOKS,
    *dead_letters.HOOKS,
    *api_destinations.HOOKS,
]
# Says to the functions that dispatch, which MiniStack calls with less, what they deliver.
_current: ContextVar[Delivery] = ContextVar("delivery")


def extend() -> None:
    """Put these deliveries in the place of MiniStack's."""
    invoke = eventbridge._invoke_target

    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        # In a context of its own: a schedule's delivery has no request whose origin it could have.
        copy_context().run(_deliver, Delivery(target, event, rule), lambda: invoke(target, event, rule, view))

    eventbridge._invoke_target = invoke_target
    eventbridge._dispatch_to_api_destination = _call_api_destination
    eventbridge._dispatch_to_sns = _publish


def _deliver(delivery: Delivery, dispatch: Callable[[], None]) -> None:
    iam_evaluator.pin_request_origin("127.0.0.1", True)
    _current.set(delivery)
    try:
        require_target(delivery)
    except DeliveryError as error:
        bury(delivery, error)
    else:
        dispatch()


def _publish(arn: str, payload: str) -> None:
    try:
        sns.publish_internal(arn, payload, "EventBridge Notification")
    except sns.SnsPublishError as error:
        bury(_current.get(), DeliveryError("INVALID_PARAMETER", str(error)))


def _call_api_destination(spec: Any, payload: str, target: dict[str, Any]) -> None:
    words = (_current.get(), spec.resource.split("/")[1], payload, target["HttpParameters"])
    # Not on the thread that serves requests: the destination may be a function of this same emulator.
    threading.Thread(target=copy_context().run, args=(api_destinations.deliver, *words), daemon=True).start()
