from typing import Optional

from .base_model import BaseModel
from .fragments import BookFields, QuoteFields


class SoldBook(BaseModel):
    book: Optional["SoldBookBook"]


class SoldBookBook(BookFields):
    quote: Optional["SoldBookBookQuote"]
    sales: Optional["SoldBookBookSales"]


SoldBookBookQuote = QuoteFields


class SoldBookBookSales(BaseModel):
    copies: int
    cents: int


SoldBook.model_rebuild()
SoldBookBook.model_rebuild()
