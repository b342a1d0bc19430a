from typing import Any, Optional

from .base_model import BaseModel


class CreateBookInput(BaseModel):
    id: Optional[str] = None
    "Made by the API where it is not given. Giving it makes a repeated request harmless: AlreadyExists."
    title: str
    author: str
    genre: str
    cents: int
    cost: Optional[int] = None


class UpdateBookInput(BaseModel):
    id: str
    expectedVersion: int
    title: Optional[str] = None
    author: Optional[str] = None
    genre: Optional[str] = None
    cents: Optional[int] = None
    cost: Optional[int] = None


class PlaceOrderInput(BaseModel):
    name: str
    email: Any
    lines: list["OrderLineInput"]
    "1 to 50, each of another book."


class OrderLineInput(BaseModel):
    bookId: str
    quantity: int
    "1 to 100."


PlaceOrderInput.model_rebuild()
