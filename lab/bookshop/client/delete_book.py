from .base_model import BaseModel
from .fragments import BookFields


class DeleteBook(BaseModel):
    deleteBook: "DeleteBookDeleteBook"


DeleteBookDeleteBook = BookFields
DeleteBook.model_rebuild()
