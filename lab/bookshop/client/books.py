from typing import Optional

from .base_model import BaseModel
from .fragments import BookFields


class Books(BaseModel):
    books: "BooksBooks"


class BooksBooks(BaseModel):
    items: list["BooksBooksItems"]
    nextToken: Optional[str]


BooksBooksItems = BookFields
Books.model_rebuild()
BooksBooks.model_rebuild()
