"""Puts a book into the deployed bookshop, asks what it costs in Germany, and takes it out again."""

import boto3
import httpx

from lab.bookshop.client import BookshopClient
from lab.bookshop.client.input_types import CreateBookInput
from lab.bookshop.signing import SignedRequests

session = boto3.Session()
[stack] = session.client("cloudformation").describe_stacks(StackName="AppSync")["Stacks"]
outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

# AppSync itself gives up after 30 seconds.
with httpx.Client(auth=SignedRequests(session), timeout=35) as http:
    # Its types are stricter than what the client declares.
    shop = BookshopClient(url=outputs["GraphqlUrl"], http_client=http)  # type: ignore[arg-type]
    emma = CreateBookInput(title="Emma", author="Jane Austen", genre="novel", cents=1200)
    made = shop.create_book(emma).createBook
    try:
        book = shop.quoted_book(made.id, "DE").book
        if book and book.quote:
            print(f"{book.title}: {book.quote.total} cents, delivered")
    finally:
        shop.delete_book(made.id, made.version)
