from typing import Optional

from .base_model import BaseModel
from .fragments import BookFields, QuoteFields


class QuotedBooks(BaseModel):
    books: "QuotedBooksBooks"


class QuotedBooksBooks(BaseModel):
    items: list["QuotedBooksBooksItems"]
    nextToken: Optional[str]


class QuotedBooksBooksItems(BookFields):
    quote: Optional["QuotedBooksBooksItemsQuote"]


QuotedBooksBooksItemsQuote = QuoteFields
QuotedBooks.model_rebuild()
QuotedBooksBooks.model_rebuild()
QuotedBooksBooksItems.model_rebuild()
