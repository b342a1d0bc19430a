"""The front of the orders: what it takes, what it refuses, and what it does when something else fails."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.order_front.runtime import orders, price_list, prices

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "front",
    "PRICES_AUTHORIZATION": "AWS_IAM",
    "PRICES_URL": "https://prices.example/",
    "TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:placed",
}

with mock.patch.dict(os.environ, ENVIRONMENT):
    front = importlib.import_module("lambda_src.order_front.runtime.front")


class Context:
    function_name = "front"
    function_version = "$LATEST"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:front"
    aws_request_id = "request"


class Sns:
    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def publish(self, **request: Any) -> dict[str, str]:
        self.published.append(request)
        return {"MessageId": "m1"}


class Prices:
    def __init__(self, answer: int | Exception = 250) -> None:
        self.answer = answer

    def cents(self, _item: str) -> int:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sns]:
    topic = Sns()
    monkeypatch.setattr(front, "sns", topic)
    monkeypatch.setattr(front, "prices", Prices())
    with mock.patch.dict(os.environ, ENVIRONMENT):
        yield topic


def request(body: object, *, method: str = "POST", resource: str = "/orders") -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    answer = front.handler({"httpMethod": method, "resource": resource, "body": text}, Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_an_order_is_priced_published_and_accepted(sns: Sns) -> None:
    status, answer = request({"item": "book", "quantity": 3})

    assert (status, answer["cents"]) == (202, 750)
    [published] = sns.published
    assert published["TopicArn"] == ENVIRONMENT["TOPIC_ARN"]
    assert json.loads(published["Message"]) == {"id": answer["id"], "item": "book", "quantity": 3, "cents": 750}


def test_two_orders_have_two_ids(sns: Sns) -> None:
    assert request({"item": "book"})[1]["id"] != request({"item": "book"})[1]["id"]
    assert len(sns.published) == 2


def test_it_is_healthy(sns: Sns) -> None:
    assert request(None, method="GET", resource="/health") == (200, {"status": "ok"})
    assert sns.published == []


@pytest.mark.parametrize(("fail", "status"), [("error", 400), ("throttle", 429)])
def test_an_order_can_ask_to_be_refused(sns: Sns, fail: str, status: int) -> None:
    assert request({"fail": fail})[0] == status
    assert sns.published == []


def test_an_order_can_ask_for_a_fault(sns: Sns) -> None:
    with pytest.raises(front.OrderedFaultError):
        request({"item": "book", "fail": "fault"})
    assert sns.published == []


INVALID = [
    (None, "The body is not JSON."),
    ("", "The body is not JSON."),
    ("{", "The body is not JSON."),
    ("[" * 100_000, "The body is not JSON."),
    ([], "The body is not an object."),
    ({}, "item is not a text of 1 to 100 printable characters."),
    ({"item": ""}, "item is not a text of 1 to 100 printable characters."),
    ({"item": "x" * 101}, "item is not a text of 1 to 100 printable characters."),
    ({"item": "a\nb"}, "item is not a text of 1 to 100 printable characters."),
    ({"item": 7}, "item is not a text of 1 to 100 printable characters."),
    ({"item": "book", "quantity": 0}, "quantity is not a whole number from 1 to 1000."),
    ({"item": "book", "quantity": 1001}, "quantity is not a whole number from 1 to 1000."),
    ({"item": "book", "quantity": 1.5}, "quantity is not a whole number from 1 to 1000."),
    ({"item": "book", "quantity": True}, "quantity is not a whole number from 1 to 1000."),
    ({"item": "book", "fail": "loudly"}, "fail is none of error, throttle, fault."),
    ({"item": "book", "fail": []}, "fail is none of error, throttle, fault."),
]


@pytest.mark.parametrize(("body", "message"), INVALID, ids=[str(number) for number in range(len(INVALID))])
def test_what_is_no_order_is_refused_with_the_reason(sns: Sns, body: object, message: str) -> None:
    assert request(body) == (400, {"message": message})
    assert sns.published == []


def test_without_a_price_nothing_is_published(sns: Sns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "prices", Prices(price_list.NoPriceError("status 500")))

    assert request({"item": "book"}) == (502, {"message": "There is no price for it at the moment."})
    assert sns.published == []


def test_an_unknown_route_is_answered_with_404(sns: Sns) -> None:
    assert request(None, method="DELETE")[0] == 404
    assert sns.published == []


@pytest.mark.usefixtures("sns")
def test_its_log_has_ids_and_no_item(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(front.logger.registered_handler, "stream", log)
    request({"item": "SECRET"})
    monkeypatch.setattr(front, "prices", Prices(price_list.NoPriceError("status 500")))
    request({"item": "SECRET"})

    taken, refused = (json.loads(line) for line in log.getvalue().splitlines())
    assert (taken["message"], taken["messageId"]) == ("Order taken", "m1")
    assert (refused["message"], refused["reason"]) == ("Order not taken: no price", "status 500")
    assert "SECRET" not in log.getvalue()


any_json = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)


@given(any_json | st.dictionaries(st.sampled_from(["item", "quantity", "fail", "else"]), any_json))
def test_any_json_is_an_order_or_is_refused(body: object) -> None:
    order = None
    with contextlib.suppress(orders.InvalidOrderError):
        order = orders.read(json.dumps(body))
    assert order is None or order.item or order.fail


def test_the_same_item_costs_the_same_every_time() -> None:
    def price(item: str) -> dict[str, Any]:
        return prices.handler({"queryStringParameters": {"item": item}}, None)

    assert price("book") == price("book")
    assert price("book") != price("pen")
    assert 100 <= json.loads(price("book")["body"])["cents"] < 10_000


def test_no_item_has_no_price() -> None:
    assert prices.handler({"rawPath": "/"}, None)["statusCode"] == 400
