"""Answers an API destination over HTTPS: with the right key, the event in the request's body is recorded.

EventBridge tries again after 401, 407, 409, 429 and 5xx, and gives up at once after every other refusal: an event that
comes with a key which was just replaced is not lost, and one that is no event does not come back for a day.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from tracing import tracer

from .api_key import ApiKey
from .records import record

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

RULE = "endpoint"

logger = Logger()
api_key = ApiKey()


@tracer.handler
@logger.inject_lambda_context
def handler(request: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request: 204 when the event is recorded, otherwise what is wrong with the request."""
    status = _status(request, context.aws_request_id)
    logger.info("Request answered", extra={"status": status})
    return {"statusCode": status}


def _status(request: dict[str, Any], request_id: str) -> int:
    # The key first: who has none does not learn which paths there are.
    if not api_key.matches(request["headers"].get("x-api-key", "")):
        return 401
    if request["rawPath"] != "/":
        return 404
    if request["requestContext"]["http"]["method"] != "POST":
        return 405
    try:
        record(RULE, json.loads(_body(request)), made_id=request_id)
    except ValueError:  # InvalidEventError is one, and so is what base64 and json say
        return 400
    return 204


def _body(request: dict[str, Any]) -> bytes:
    body: str = request.get("body") or ""
    return base64.b64decode(body) if request.get("isBase64Encoded") else body.encode()
