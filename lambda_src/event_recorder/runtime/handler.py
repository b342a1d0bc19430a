"""Records events in a DynamoDB table, each with the name of the rule that it came by.

A target's input is ``{"rule": the name, "event": the event as it was}``: an event itself does not say which rules
matched it. ``EventId`` and ``Rule`` are the table's key, so that an event which two rules matched is there twice, and
one which was delivered twice is there once. What is no event is an error: AWS Lambda tries twice more, and then hands
it to the function's dead-letter queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from tracing import tracer

from .records import record

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()


@tracer.handler
@logger.inject_lambda_context
def handler(delivered: dict[str, Any], context: LambdaContext) -> None:
    """Record one event."""
    # A schedule's event may have no id; the request's is the same in every attempt.
    event_id = record(delivered.get("rule"), delivered.get("event"), made_id=context.aws_request_id)
    logger.info("Event recorded", extra={"eventId": event_id, "rule": delivered["rule"]})
