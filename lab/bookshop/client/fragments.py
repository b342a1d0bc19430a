from datetime import datetime

from .base_model import BaseModel


class BookFields(BaseModel):
    id: str
    title: str
    author: str
    genre: str
    cents: int
    version: int
    changedAt: datetime


class QuoteFields(BaseModel):
    net: int
    tax: int
    shipping: int
    total: int


BookFields.model_rebuild()
QuoteFields.model_rebuild()
