from typing import Optional

from .base_model import BaseModel
from .fragments import (
    BookFields,
    OrderFields,
    OrderFieldsCustomer,  # noqa: F401
    QuoteFields,
)


class Order(BaseModel):
    order: Optional["OrderOrder"]


class OrderOrder(OrderFields):
    lines: list["OrderOrderLines"]


class OrderOrderLines(BaseModel):
    quantity: int
    cents: int
    book: Optional["OrderOrderLinesBook"]


class OrderOrderLinesBook(BookFields):
    quote: Optional["OrderOrderLinesBookQuote"]
    sales: Optional["OrderOrderLinesBookSales"]


OrderOrderLinesBookQuote = QuoteFields


class OrderOrderLinesBookSales(BaseModel):
    copies: int
    cents: int


Order.model_rebuild()
OrderOrder.model_rebuild()
OrderOrderLines.model_rebuild()
OrderOrderLinesBook.model_rebuild()
