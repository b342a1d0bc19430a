from .base_model import BaseModel
from .fragments import (
    OrderFields,
    OrderFieldsCustomer,  # noqa: F401
)


class PlaceOrder(BaseModel):
    placeOrder: "PlaceOrderPlaceOrder"


class PlaceOrderPlaceOrder(OrderFields):
    lines: list["PlaceOrderPlaceOrderLines"]


class PlaceOrderPlaceOrderLines(BaseModel):
    quantity: int
    cents: int


PlaceOrder.model_rebuild()
PlaceOrderPlaceOrder.model_rebuild()
