from typing import Optional

from .base_model import BaseModel
from .fragments import BookFields, QuoteFields


class QuotedBook(BaseModel):
    book: Optional["QuotedBookBook"]


class QuotedBookBook(BookFields):
    quote: Optional["QuotedBookBookQuote"]


QuotedBookBookQuote = QuoteFields
QuotedBook.model_rebuild()
QuotedBookBook.model_rebuild()
