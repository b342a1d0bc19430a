"""The fake DynamoDB refuses what the real one does: only then do the consumer's tests prove anything."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.fake_dynamodb import Answer, FakeDynamoDB, item, put_requests


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (put_requests(*(item(str(n)) for n in range(26))), "more than 25"),
        (put_requests(item("a"), item("a", "other")), "same key"),
        (put_requests(item("a", "x" * 409_600)), "400 KB"),
        (put_requests(*(item(str(n), "\x01" * 400_000) for n in range(7))), "16 MB"),
        (put_requests(item("k" * 2049)), "2048 bytes"),
        (put_requests(item("")), "missing or empty"),
        (put_requests(item("a"), item("bad")), "index"),
    ],
)
def test_the_fake_refuses_a_whole_request_as_dynamodb_does(request_: dict[str, Any], refusal: str) -> None:
    dynamodb = FakeDynamoDB(refused=frozenset({"bad"}))
    with pytest.raises(ClientError, match=refusal):
        dynamodb.batch_write_item(**request_)
    assert dynamodb.items == {}


def test_the_fake_refuses_what_is_no_dynamodb_json() -> None:
    with pytest.raises(AssertionError, match="Invalid type"):
        FakeDynamoDB().batch_write_item(**put_requests({"MessageId": {"S": 1}}))


def test_the_fake_stores_and_hands_back_by_its_script() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(skips=frozenset({1}))])
    answer = dynamodb.batch_write_item(**put_requests(item("a"), item("b")))
    assert answer == {"UnprocessedItems": {"Message": [{"PutRequest": {"Item": item("b")}}]}}
    assert list(dynamodb.items) == ["a"]
