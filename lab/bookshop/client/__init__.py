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
from .fragments import BookFields, QuoteFields
from .input_types import CreateBookInput, UpdateBookInput
from .quoted_book import QuotedBook, QuotedBookBook, QuotedBookBookQuote
from .quoted_books import (
    QuotedBooks,
    QuotedBooksBooks,
    QuotedBooksBooksItems,
    QuotedBooksBooksItemsQuote,
)
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
    "QuoteFields",
    "QuotedBook",
    "QuotedBookBook",
    "QuotedBookBookQuote",
    "QuotedBooks",
    "QuotedBooksBooks",
    "QuotedBooksBooksItems",
    "QuotedBooksBooksItemsQuote",
    "UpdateBook",
    "UpdateBookInput",
    "UpdateBookUpdateBook",
    "Upload",
]
