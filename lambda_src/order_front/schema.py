"""What the body of an order looks like, for API Gateway to refuse any other before it reaches the front."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway

from lambda_src.order_front.runtime.orders import FAILURES, LARGEST_QUANTITY, LONGEST_ITEM

_TYPE = apigateway.JsonSchemaType

#: An item with its quantity, or what should go wrong.
ORDER = apigateway.JsonSchema(
    title="Order",
    type=_TYPE.OBJECT,
    properties={
        "item": apigateway.JsonSchema(type=_TYPE.STRING, min_length=1, max_length=LONGEST_ITEM),
        "quantity": apigateway.JsonSchema(type=_TYPE.INTEGER, minimum=1, maximum=LARGEST_QUANTITY),
        "fail": apigateway.JsonSchema(type=_TYPE.STRING, enum=list(FAILURES)),
    },
    any_of=[apigateway.JsonSchema(required=["item"]), apigateway.JsonSchema(required=["fail"])],
)
