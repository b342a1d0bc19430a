from typing import Optional

from .base_model import BaseModel
from .fragments import (
    OrderFields,
    OrderFieldsCustomer,  # noqa: F401
)


class OrderAlone(BaseModel):
    order: Optional["OrderAloneOrder"]


class OrderAloneOrder(OrderFields):
    lines: list["OrderAloneOrderLines"]


class OrderAloneOrderLines(BaseModel):
    quantity: int
    cents: int


OrderAlone.model_rebuild()
OrderAloneOrder.model_rebuild()
