from typing import Optional

from .base_model import BaseModel
from .fragments import BookFields


class Book(BaseModel):
    book: Optional["BookBook"]


BookBook = BookFields
Book.model_rebuild()
