from typing import Any, Optional, Union

from .base_client import BaseClient
from .base_model import UNSET, UnsetType
from .book import Book
from .books import Books
from .costs import Costs
from .create_book import CreateBook
from .delete_book import DeleteBook
from .input_types import CreateBookInput, PlaceOrderInput, UpdateBookInput
from .order import Order
from .order_alone import OrderAlone
from .place_order import PlaceOrder
from .quoted_book import QuotedBook
from .quoted_books import QuotedBooks
from .sold_book import SoldBook
from .update_book import UpdateBook


def gql(q: str) -> str:
    return q


class BookshopClient(BaseClient):
    def book(self, id: str, **kwargs: Any) -> Book:
        query = gql("""
            query book($id: ID!) {
              book(id: $id) {
                ...BookFields
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = self.execute(
            query=query, operation_name="book", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Book.model_validate(data)

    def quoted_book(self, id: str, country: str, **kwargs: Any) -> QuotedBook:
        query = gql("""
            query quoted_book($id: ID!, $country: String!) {
              book(id: $id) {
                ...BookFields
                quote(country: $country) {
                  ...QuoteFields
                }
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }

            fragment QuoteFields on Quote {
              net
              tax
              shipping
              total
            }
            """)
        variables: dict[str, object] = {"id": id, "country": country}
        response = self.execute(
            query=query, operation_name="quoted_book", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return QuotedBook.model_validate(data)

    def books(
        self,
        genre: str,
        limit: Union[Optional[int], UnsetType] = UNSET,
        nextToken: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Books:
        query = gql("""
            query books($genre: String!, $limit: Int, $nextToken: String) {
              books(genre: $genre, limit: $limit, nextToken: $nextToken) {
                items {
                  ...BookFields
                }
                nextToken
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }
            """)
        variables: dict[str, object] = {
            "genre": genre,
            "limit": limit,
            "nextToken": nextToken,
        }
        response = self.execute(
            query=query, operation_name="books", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Books.model_validate(data)

    def quoted_books(
        self,
        genre: str,
        country: str,
        limit: Union[Optional[int], UnsetType] = UNSET,
        nextToken: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> QuotedBooks:
        query = gql("""
            query quoted_books($genre: String!, $country: String!, $limit: Int, $nextToken: String) {
              books(genre: $genre, limit: $limit, nextToken: $nextToken) {
                items {
                  ...BookFields
                  quote(country: $country) {
                    ...QuoteFields
                  }
                }
                nextToken
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }

            fragment QuoteFields on Quote {
              net
              tax
              shipping
              total
            }
            """)
        variables: dict[str, object] = {
            "genre": genre,
            "country": country,
            "limit": limit,
            "nextToken": nextToken,
        }
        response = self.execute(
            query=query, operation_name="quoted_books", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return QuotedBooks.model_validate(data)

    def costs(
        self, genre: str, limit: Union[Optional[int], UnsetType] = UNSET, **kwargs: Any
    ) -> Costs:
        query = gql("""
            query costs($genre: String!, $limit: Int) {
              books(genre: $genre, limit: $limit) {
                items {
                  id
                  cost
                }
              }
            }
            """)
        variables: dict[str, object] = {"genre": genre, "limit": limit}
        response = self.execute(
            query=query, operation_name="costs", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Costs.model_validate(data)

    def order(self, id: str, country: str, **kwargs: Any) -> Order:
        query = gql("""
            query order($id: ID!, $country: String!) {
              order(id: $id) {
                ...OrderFields
                lines {
                  quantity
                  cents
                  book {
                    ...BookFields
                    quote(country: $country) {
                      ...QuoteFields
                    }
                    sales {
                      copies
                      cents
                    }
                  }
                }
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }

            fragment OrderFields on Order {
              id
              placedAt
              customer {
                name
                email
              }
            }

            fragment QuoteFields on Quote {
              net
              tax
              shipping
              total
            }
            """)
        variables: dict[str, object] = {"id": id, "country": country}
        response = self.execute(
            query=query, operation_name="order", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Order.model_validate(data)

    def order_alone(self, id: str, **kwargs: Any) -> OrderAlone:
        query = gql("""
            query order_alone($id: ID!) {
              order(id: $id) {
                ...OrderFields
                lines {
                  quantity
                  cents
                }
              }
            }

            fragment OrderFields on Order {
              id
              placedAt
              customer {
                name
                email
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = self.execute(
            query=query, operation_name="order_alone", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return OrderAlone.model_validate(data)

    def sold_book(self, id: str, country: str, **kwargs: Any) -> SoldBook:
        query = gql("""
            query sold_book($id: ID!, $country: String!) {
              book(id: $id) {
                ...BookFields
                quote(country: $country) {
                  ...QuoteFields
                }
                sales {
                  copies
                  cents
                }
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }

            fragment QuoteFields on Quote {
              net
              tax
              shipping
              total
            }
            """)
        variables: dict[str, object] = {"id": id, "country": country}
        response = self.execute(
            query=query, operation_name="sold_book", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return SoldBook.model_validate(data)

    def place_order(self, input: PlaceOrderInput, **kwargs: Any) -> PlaceOrder:
        query = gql("""
            mutation place_order($input: PlaceOrderInput!) {
              placeOrder(input: $input) {
                ...OrderFields
                lines {
                  quantity
                  cents
                }
              }
            }

            fragment OrderFields on Order {
              id
              placedAt
              customer {
                name
                email
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = self.execute(
            query=query, operation_name="place_order", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return PlaceOrder.model_validate(data)

    def create_book(self, input: CreateBookInput, **kwargs: Any) -> CreateBook:
        query = gql("""
            mutation create_book($input: CreateBookInput!) {
              createBook(input: $input) {
                ...BookFields
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = self.execute(
            query=query, operation_name="create_book", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CreateBook.model_validate(data)

    def update_book(self, input: UpdateBookInput, **kwargs: Any) -> UpdateBook:
        query = gql("""
            mutation update_book($input: UpdateBookInput!) {
              updateBook(input: $input) {
                ...BookFields
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = self.execute(
            query=query, operation_name="update_book", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return UpdateBook.model_validate(data)

    def delete_book(self, id: str, expectedVersion: int, **kwargs: Any) -> DeleteBook:
        query = gql("""
            mutation delete_book($id: ID!, $expectedVersion: Int!) {
              deleteBook(id: $id, expectedVersion: $expectedVersion) {
                ...BookFields
              }
            }

            fragment BookFields on Book {
              id
              title
              author
              genre
              cents
              version
              changedAt
            }
            """)
        variables: dict[str, object] = {"id": id, "expectedVersion": expectedVersion}
        response = self.execute(
            query=query, operation_name="delete_book", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DeleteBook.model_validate(data)
