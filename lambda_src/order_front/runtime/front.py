"""Takes orders: finds out what each costs, and publishes it for whoever stores, packs or bills it."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

# Not boto3, which would load the transfer manager of Amazon S3 too.
import botocore.session
from aws_lambda_powertools import Logger
from botocore.config import Config
from tracing import tracer

from .orders import InvalidOrderError, read
from .price_list import NoPriceError, PriceList

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Response = dict[str, Any]

logger = Logger()
session = botocore.session.get_session()
sns: Any = session.create_client("sns", config=Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard"}))
prices = PriceList(os.environ["PRICES_URL"], session if os.environ["PRICES_AUTHORIZATION"] == "AWS_IAM" else None)


class OrderedFaultError(Exception):
    """An order asked for a fault."""


@tracer.handler
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> Response:
    """Answer a request that came by Amazon API Gateway."""
    match event["httpMethod"], event["resource"]:
        case "POST", "/orders":
            return take_order(event.get("body"))
        case "GET", "/health":
            return _response(200, {"status": "ok"})
    return _response(404, {"message": "There is no such route."})


def take_order(body: str | None) -> Response:
    """Take the order in a request's body, and answer before it is stored: 202."""
    try:
        order = read(body)
    except InvalidOrderError as error:
        return _response(400, {"message": str(error)})
    match order.fail:
        case "error":
            return _response(400, {"message": "The order asked for an error."})
        case "throttle":
            return _response(429, {"message": "The order asked for a throttle."})
        case "fault":
            raise OrderedFaultError("The order asked for a fault.")
    order_id = str(uuid.uuid4())
    with tracer.subsegment("place order") as subsegment:
        subsegment.annotate("order_id", order_id)
        try:
            cents = prices.cents(order.item) * order.quantity
        except NoPriceError as error:
            logger.warning("Order not taken: no price", extra={"orderId": order_id, "reason": str(error)})
            return _response(502, {"message": "There is no price for it at the moment."})
        placed = {"id": order_id, "item": order.item, "quantity": order.quantity, "cents": cents}
        message = sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(placed))
    logger.info("Order taken", extra={"orderId": order_id, "messageId": message["MessageId"]})
    return _response(202, {"id": order_id, "cents": cents})


def _response(status: int, body: dict[str, Any]) -> Response:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
