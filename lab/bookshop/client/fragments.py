from datetime import datetime
from typing import Any

from .base_model import BaseModel


class BookFields(BaseModel):
    id: str
    title: str
    author: str
    genre: str
    cents: int
    version: int
    changedAt: datetime


class OrderFields(BaseModel):
    id: str
    placedAt: datetime
    customer: "OrderFieldsCustomer"


class OrderFieldsCustomer(BaseModel):
    name: str
    email: Any


class QuoteFields(BaseModel):
    net: int
    tax: int
    shipping: int
    total: int


BookFields.model_rebuild()
OrderFields.model_rebuild()
QuoteFields.model_rebuild()
