from typing import Optional

from .base_model import BaseModel


class Costs(BaseModel):
    books: "CostsBooks"


class CostsBooks(BaseModel):
    items: list["CostsBooksItems"]


class CostsBooksItems(BaseModel):
    id: str
    cost: Optional[int]


Costs.model_rebuild()
CostsBooks.model_rebuild()
