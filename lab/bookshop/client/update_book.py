from .base_model import BaseModel
from .fragments import BookFields


class UpdateBook(BaseModel):
    updateBook: "UpdateBookUpdateBook"


UpdateBookUpdateBook = BookFields
UpdateBook.model_rebuild()
