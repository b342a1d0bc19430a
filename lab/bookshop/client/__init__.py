from .base_client import BaseClient
from .base_model import BaseModel, Upload
from .book import Book, BookBook
from .books import Books, BooksBooks, BooksBooksItems
from .bookshop import BookshopClient
from .costs import Costs, CostsBooks, CostsBooksItems
from .create_book import CreateBook, CreateBookCreateBook
from .delete_book import DeleteBook, DeleteBookDeleteBook
from .exceptions import (
    GraphQLClientError,
    GraphQLClientGraphQLError,
    GraphQLClientGraphQLMultiError,
    GraphQLClientHttpError,
    GraphQLClientInvalidResponseError,
)
from .fragments import BookFields, OrderFields, OrderFieldsCustomer, QuoteFields
from .input_types import (
    CreateBookInput,
    OrderLineInput,
    PlaceOrderInput,
    UpdateBookInput,
)
from .order import (
    Order,
    OrderOrder,
    OrderOrderLines,
    OrderOrderLinesBook,
    OrderOrderLinesBookQuote,
    OrderOrderLinesBookSales,
)
from .order_alone import OrderAlone, OrderAloneOrder, OrderAloneOrderLines
from .place_order import PlaceOrder, PlaceOrderPlaceOrder, PlaceOrderPlaceOrderLines
from .quoted_book import QuotedBook, QuotedBookBook, QuotedBookBookQuote
from .quoted_books import (
    QuotedBooks,
    QuotedBooksBooks,
    QuotedBooksBooksItems,
    QuotedBooksBooksItemsQuote,
)
from .sold_book import SoldBook, SoldBookBook, SoldBookBookQuote, SoldBookBookSales
from .update_book import UpdateBook, UpdateBookUpdateBook

__all__ = [
    "BaseClient",
    "BaseModel",
    "Book",
    "BookBook",
    "BookFields",
    "Books",
    "BooksBooks",
    "BooksBooksItems",
    "BookshopClient",
    "Costs",
    "CostsBooks",
    "CostsBooksItems",
    "CreateBook",
    "CreateBookCreateBook",
    "CreateBookInput",
    "DeleteBook",
    "DeleteBookDeleteBook",
    "GraphQLClientError",
    "GraphQLClientGraphQLError",
    "GraphQLClientGraphQLMultiError",
    "GraphQLClientHttpError",
    "GraphQLClientInvalidResponseError",
    "Order",
    "OrderAlone",
    "OrderAloneOrder",
    "OrderAloneOrderLines",
    "OrderFields",
    "OrderFieldsCustomer",
    "OrderLineInput",
    "OrderOrder",
    "OrderOrderLines",
    "OrderOrderLinesBook",
    "OrderOrderLinesBookQuote",
    "OrderOrderLinesBookSales",
    "PlaceOrder",
    "PlaceOrderInput",
    "PlaceOrderPlaceOrder",
    "PlaceOrderPlaceOrderLines",
    "QuoteFields",
    "QuotedBook",
    "QuotedBookBook",
    "QuotedBookBookQuote",
    "QuotedBooks",
    "QuotedBooksBooks",
    "QuotedBooksBooksItems",
    "QuotedBooksBooksItemsQuote",
    "SoldBook",
    "SoldBookBook",
    "SoldBookBookQuote",
    "SoldBookBookSales",
    "UpdateBook",
    "UpdateBookInput",
    "UpdateBookUpdateBook",
    "Upload",
]
