from .base_model import BaseModel
from .fragments import BookFields


class CreateBook(BaseModel):
    createBook: "CreateBookCreateBook"


CreateBookCreateBook = BookFields
CreateBook.model_rebuild()
