"""AppSync: books are made, read, changed and removed through one graph, by those who may, and every change is told."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any, cast

from lab.bookshop import people
from lab.bookshop.client.exceptions import GraphQLClientGraphQLMultiError, GraphQLClientHttpError
from lab.bookshop.client.input_types import OrderLineInput, PlaceOrderInput, UpdateBookInput
from lab.bookshop.connection import address, connected, error_types
from lab.bookshop.signing import SignedRequests
from lab.errors import LabError
from lab.events.inbox import Inbox
from lab.runbook import Evidence, Runbook, wait_for
from lab.runbooks import appsync_stock as stock

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from lab.bookshop.signing import Bearer
    from lab.bookshop.subscription import Changes
    from lab.deployment import Deployment

runbook = Runbook()
_BOOKS = 1000
_PAGE = 100
_LINES = 20


@runbook.check("A book is made, read, changed and removed", evidence=Evidence.EMULATED)
def books_live_and_die(deployed: Deployment) -> str:
    """Mutations and queries of the generated client, each with a signed request; DynamoDB keeps the book."""
    with connected(deployed) as shop:
        made = shop.create_book(stock.book("Emma", cents=1200, cost=700)).createBook
        assert made.version == 1, f"it begins at version {made.version}"
        read = shop.book(made.id).book
        assert read == made, f"made {made}, and read {read}"
        changed = shop.update_book(UpdateBookInput(id=made.id, expectedVersion=1, cents=999)).updateBook
        assert (changed.cents, changed.title, changed.version) == (999, "Emma", 2), f"changed to {changed}"
        removed = shop.delete_book(made.id, 2).deleteBook
        assert removed == changed, f"removed {removed}"
        assert shop.book(made.id).book is None, "it is still there"
        return f"version {made.version}, {changed.version}, gone"


@runbook.check("A write on a wrong condition is refused, with a type that says what to do", evidence=Evidence.EMULATED)
def conditions_are_kept(deployed: Deployment) -> str:
    """A book that is there already, one that changed meanwhile, one that is not there, one that cannot be."""
    with connected(deployed) as shop, stock.one_book(shop) as book:
        attempts: dict[str, Callable[[], Any]] = {
            "AlreadyExists": lambda: shop.create_book(stock.book("Emma", id=book.id)),
            "Conflict": lambda: shop.update_book(UpdateBookInput(id=book.id, expectedVersion=7, cents=1)),
            "NotFound": lambda: shop.delete_book(str(uuid.uuid4()), 1),
            "InvalidInput": lambda: shop.create_book(stock.book("", genre="runbook")),
        }
        for expected, attempt in attempts.items():
            answered = _refused(attempt)
            assert answered == [expected], f"answered {answered}, and not {expected}"
        after = shop.book(book.id).book
        assert after == book, f"it was refused, and the book is {after}"
        return ", ".join(attempts)


@runbook.check("A thousand books are listed page by page, each of them once and in order", evidence=Evidence.EMULATED)
def a_thousand_books_are_paged(deployed: Deployment) -> str:
    """By the table's index, with the token of each page; the books are written past the API, to be quick."""
    genre = f"runbook-{uuid.uuid4()}"
    with connected(deployed) as shop, stock.stocked(deployed, genre, _BOOKS) as ids:
        read, pages, token = list[str](), 0, None
        while pages == 0 or token:
            page = shop.books(genre, limit=_PAGE, nextToken=token).books
            read += [book.id for book in page.items]
            pages, token = pages + 1, page.nextToken
            assert pages <= 2 * _BOOKS / _PAGE, f"no end after {pages} pages"
        assert read == ids, f"{len(read)} books in {pages} pages, {len(set(ids) - set(read))} missing"
        return f"{len(read)} books in {pages} pages"


@runbook.check("A list's computed field costs one invocation, and not one for each book", evidence=Evidence.EMULATED)
def lists_are_computed_at_once(deployed: Deployment) -> str:
    """The function logs a line for each invocation, with how many books it quoted; they are counted."""
    genre = f"runbook-{uuid.uuid4()}"
    with connected(deployed) as shop, stock.stocked(deployed, genre, _PAGE):
        since = int(time.time() * 1000)
        shop.quoted_books(genre, "DE", limit=1)  # wakes the function
        quoted = shop.quoted_books(genre, "DE", limit=_PAGE).books.items
        assert len(quoted) == _PAGE, f"{len(quoted)} books"
        wrong = [book.id for book in quoted if book.quote is None or book.quote.total <= book.cents]
        assert not wrong, f"without a quote: {wrong}"
        batches = _batches(deployed, "QuotingFunctionName", since, 1 + _PAGE)
        assert batches == [1, _PAGE], f"1 book and then {_PAGE} took {len(batches)} invocations: {batches}"
        return f"{_PAGE} books, 1 invocation"


@runbook.check(
    "One request reads an order across all sources, and invokes each function once", evidence=Evidence.REAL_DATABASE
)
def an_order_crosses_all_sources(deployed: Deployment) -> str:
    """Aurora has the order, DynamoDB its books; one function quotes them, another adds up what Aurora knows of them."""
    genre, orders = f"runbook-{uuid.uuid4()}", 2
    with connected(deployed) as shop, stock.stocked(deployed, genre, _LINES) as ids, stock.customer(deployed) as email:
        lines = [OrderLineInput(bookId=book_id, quantity=3) for book_id in ids]
        order = PlaceOrderInput(name="Ada Lovelace", email=email, lines=lines)
        placed = [shop.place_order(order).placeOrder for _ in range(orders)][-1]
        since = int(time.time() * 1000)
        shop.order(placed.id, "DE")  # wakes the functions
        read = shop.order(placed.id, "DE").order
        assert read is not None, f"the order {placed.id} is not there"
        assert read.customer.name == order.name, f"it is of {read.customer}"
        books = [line.book for line in read.lines]
        assert [book.id for book in books if book] == ids, f"its lines: {read.lines}"
        totals = {book.quote.total for book in books if book and book.quote}
        copies = {book.sales.copies for book in books if book and book.sales}
        assert (totals, copies) == ({1674}, {3 * orders}), f"quotes of {totals}, sold {copies}"
        quoted = _batches(deployed, "QuotingFunctionName", since, 2 * _LINES)
        added = _batches(deployed, "SellingFunctionName", since, 2 * _LINES)
        assert quoted == added == [_LINES] * 2, f"{_LINES} books, read twice, took {quoted} and {added}"
        return f"{_LINES} lines, with their books, quotes and sales: 1 invocation of each function"


@runbook.check("An order that cannot be leaves nothing behind, and no word of SQL", evidence=Evidence.REAL_DATABASE)
def orders_are_whole_or_not_there(deployed: Deployment) -> str:
    """A book that the shop does not have, one book twice, and an id that is none."""
    genre = f"runbook-{uuid.uuid4()}"
    with connected(deployed) as shop, stock.stocked(deployed, genre, 1) as [book_id], stock.customer(deployed) as email:

        def place(*ids: str) -> Any:
            lines = [OrderLineInput(bookId=one, quantity=1) for one in ids]
            return shop.place_order(PlaceOrderInput(name="Ada", email=email, lines=lines))

        attempts = {
            "a book that is not there": (lambda: place(book_id, "nothing"), "NotFound"),
            "a book twice": (lambda: place(book_id, book_id), "InvalidInput"),
            "no id": (lambda: shop.order_alone("'; DROP TABLE purchase; --"), "InvalidInput"),
        }
        for name, (attempt, expected) in attempts.items():
            answered, said = _refusal(attempt)
            assert answered == [expected], f"{name} is answered {answered}: {said}"
            assert not re.search("SQL|constraint|purchase|uuid", said), f"{name} is answered {said}"
        book = shop.sold_book(book_id, "DE").book
        assert book is not None, "the book is gone"
        assert book.sales is not None, "its sales are not there"
        assert book.sales.copies == 0, f"{book.sales.copies} were sold"
        return ", ".join(attempts)


@runbook.check("What a caller may not do is refused, field by field", evidence=Evidence.EMULATED)
def fields_are_for_whom_they_are_for(deployed: Deployment) -> str:
    """A role that may only query; somebody who signed in, and somebody of the staff; and a stranger."""
    genre = f"runbook-{uuid.uuid4()}"
    with stock.stocked(deployed, genre, 1) as [book_id]:
        with people.role(deployed, "Query.books") as auth, connected(deployed, auth) as reader:
            # AWS takes some seconds until a right that was given is in force.
            wait_for(lambda: not _refused(lambda: reader.books(genre)))
            assert reader.books(genre).books.items, "the role that may query finds nothing"
            removing = _refused(lambda: reader.delete_book(book_id, 1))
            reading = _refused(lambda: reader.book(book_id))
        assert removing == reading == ["UnauthorizedException"], f"the role is answered {removing}, {reading}"
        with people.signed_in(deployed) as token, connected(deployed, token) as customer:
            assert customer.book(book_id).book, "who signed in finds nothing"
            wanted = _refused(lambda: customer.costs(genre))
            removing = _refused(lambda: customer.delete_book(book_id, 1))
        assert wanted == removing == ["Unauthorized"], f"who signed in is answered {wanted}, {removing}"
        with people.signed_in(deployed, "Staff") as token, connected(deployed, token) as staff:
            [book] = staff.costs(genre).books.items
        assert book.cost == 700, f"the staff reads {book.cost}"
        with connected(deployed, people.NOBODY) as stranger:
            nobody = _refused(lambda: stranger.book(book_id))
        assert nobody == ["UnauthorizedException"], f"a stranger is answered {nobody}"
        return "a role's policy, a field of the staff's, no credentials"


@runbook.check("Every mutation puts an event on the bus, and what was refused puts none", evidence=Evidence.EMULATED)
def mutations_are_announced(deployed: Deployment) -> str:
    """A rule of EventBridge sends the bookshop's events to a queue, which is read here."""
    url = deployed.output("QueueUrl")
    with connected(deployed) as shop, stock.customer(deployed) as email:
        book = shop.create_book(stock.book("Persuasion")).createBook
        _refused(lambda: shop.create_book(stock.book("Persuasion", id=book.id)))
        shop.update_book(UpdateBookInput(id=book.id, expectedVersion=1, title="Sanditon"))
        _refused(lambda: shop.update_book(UpdateBookInput(id=book.id, expectedVersion=1, cents=1)))
        ordered = PlaceOrderInput(name="Ada", email=email, lines=[OrderLineInput(bookId=book.id, quantity=1)])
        order = shop.place_order(ordered).placeOrder
        shop.delete_book(book.id, 2)
        _refused(lambda: shop.place_order(ordered))
    expected = {
        ("BookCreated", book.id, "Persuasion", 1),
        ("BookChanged", book.id, "Sanditon", 2),
        ("OrderPlaced", order.id, None, None),
        ("BookDeleted", book.id, "Sanditon", 2),
    }
    heard = list[tuple[str, str, str | None, int | None]]()
    inbox = Inbox(deployed.client("sqs"), url, arn="")

    def is_ours(event: dict[str, Any]) -> bool:
        detail = event["detail"]
        return detail.get("id") in {book.id, order.id} or book.id in detail.get("books", [])

    def all_came() -> bool:
        for event in inbox.receive(is_ours):
            detail = event["detail"]
            heard.append((event["detail-type"], detail["id"], detail.get("title"), detail.get("version")))
        return expected <= set(heard)

    wait_for(all_came, seconds=60)
    assert sorted(heard, key=str) == sorted(expected, key=str), f"heard {heard}"
    return ", ".join(sorted(kind for kind, *_ in heard))


@runbook.check("Who subscribed to a book hears of its changes, and of no other book's", evidence=Evidence.EMULATED)
def changes_are_heard(deployed: Deployment) -> str:
    """By AppSync's protocol, over a WebSocket; a role that may only query, and a stranger, cannot subscribe."""
    from lab.bookshop.subscription import changes  # noqa: PLC0415 - nothing else needs its library

    url, genre = address(deployed, "REALTIME"), f"runbook-{uuid.uuid4()}"
    with connected(deployed) as shop, stock.stocked(deployed, genre, 2) as [other_id, book_id]:

        def change(changed_id: str) -> int:
            book = shop.book(changed_id).book
            assert book is not None, f"{changed_id} is gone"
            title = f"After {book.version}"
            changed = UpdateBookInput(id=book.id, expectedVersion=book.version, title=title)
            return shop.update_book(changed).updateBook.version

        def refusal(auth: SignedRequests | Bearer) -> str:
            try:
                with changes(url, auth, book_id) as heard:
                    _until_heard(heard, lambda: change(book_id))
            except LabError as refused:
                return str(refused)
            return "let in"

        try:
            with changes(url, SignedRequests(deployed.target.session), book_id) as heard:
                since = _until_heard(heard, lambda: change(book_id))
                for changed_id in (other_id, book_id, other_id, book_id):
                    change(changed_id)
                told = [heard.next(seconds=30) for _ in range(2)]
        except LabError as error:
            raise AssertionError(str(error)) from None
        # The client's mutation does not select what the book costs the shop: so nobody hears of it.
        expected = [
            {"id": book_id, "title": f"After {version - 1}", "version": version, "cost": None}
            for version in (since + 1, since + 2)
        ]
        assert told == expected, f"heard {told}, and not {expected}"
        with people.role(deployed, "Query.books") as auth, connected(deployed, auth) as reader:
            is_known = wait_for(lambda: not _refused(lambda: reader.books(genre)))
            assert is_known, "the role that may query may not: its refusal says nothing"
            refused = [refusal(auth), refusal(people.NOBODY)]
        assert all("UnauthorizedException" in said for said in refused), f"the role and the stranger are told {refused}"
        return f"{len(told)} changes of the book, and none of the other; without the right, no subscription"


@runbook.check(
    "The API logs without contents, traces, and is closed without credentials", evidence=Evidence.CONTROL_PLANE_ONLY
)
def api_is_as_deployed(deployed: Deployment) -> str:
    """Settings of the API, as AppSync returns them."""
    api = deployed.client("appsync").get_graphql_api(apiId=deployed.output("ApiId"))["graphqlApi"]
    assert api["xrayEnabled"], "it does not trace"
    logs = api["logConfig"]
    assert logs["excludeVerboseContent"] in (True, "true"), "its logs have contents"
    modes = {
        api["authenticationType"],
        *(one["authenticationType"] for one in api["additionalAuthenticationProviders"]),
    }
    assert modes == {"AWS_IAM", "AMAZON_COGNITO_USER_POOLS"}, f"it lets in {modes}"
    return f"logs of {logs['fieldLogLevel']} without contents, X-Ray, {', '.join(sorted(modes))}"


def _until_heard(heard: Changes, change: Callable[[], int]) -> int:
    """Change a book until that is heard of, and return the version: a change before the subscription, nobody hears."""
    deadline, pause = time.monotonic() + 60, 0.1
    while time.monotonic() < deadline:
        version, told = change(), heard.next(pause)
        while told:
            if told["version"] == version:
                return version
            told = heard.next(seconds=30)
        pause = min(2 * pause, 2)
    raise AssertionError("of no change was anything heard within a minute")


def _refused(attempt: Callable[[], Any]) -> list[str]:
    """Make an attempt that the API should refuse; return the types of its errors."""
    return _refusal(attempt)[0]


def _refusal(attempt: Callable[[], Any]) -> tuple[list[str], str]:
    """Make an attempt that the API should refuse; return the types of its errors, and what it said."""
    try:
        attempt()
    except GraphQLClientGraphQLMultiError as error:
        return error_types(error), str(error)
    except GraphQLClientHttpError as error:
        errors = cast("httpx.Response", error.response).json()["errors"]
        return [str(one["errorType"]) for one in errors], str(errors)
    return [], "nothing was refused"


def _batches(deployed: Deployment, function: str, since: int, books: int) -> list[int]:
    """Read of how many books each invocation of a function was since then, when all of them are in its logs."""
    logs = deployed.client("logs")
    configuration = deployed.client("lambda").get_function_configuration(FunctionName=deployed.output(function))
    found: list[int] = []

    def all_are_logged() -> bool:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=configuration["LoggingConfig"]["LogGroup"], startTime=since
        )
        lines = [event["message"] for page in pages for event in page["events"]]
        found[:] = [int(count) for line in lines for count in re.findall(r"(?:quoted|added up) (\d+)", line)]
        return sum(found) >= books

    wait_for(all_are_logged, seconds=60)
    return found
