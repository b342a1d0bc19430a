"""The table stores any number of items with the fewest calls, and never calls one stored that might not be."""

from __future__ import annotations

import json
import math
import os
import socket
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.queue_worker.runtime.table import SLOWEST_CALL, MessageTable, Outcome, connect
from tests.unit.fake_dynamodb import (
    ALWAYS,
    ENVIRONMENT,
    FINAL,
    TRANSIENT,
    Answer,
    Clock,
    FakeDynamoDB,
    answers,
    size_of,
    unhurried,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def items(count: int, body: str = "hello") -> list[dict[str, Any]]:
    return [{"MessageId": {"S": f"m{n}"}, "Body": {"S": body}} for n in range(count)]


def store(dynamodb: Any, wanted: list[dict[str, Any]], clock: Clock | None = None, **randomness: Any) -> Outcome:
    clock = clock or dynamodb.clock
    randomness = randomness or {"uniform": lambda _, high: high}
    return MessageTable(dynamodb, "Message", sleep=clock.sleep, **randomness).store(wanted, clock.remaining)


def unstored(outcome: Outcome, wanted: list[dict[str, Any]]) -> dict[str, str | None]:
    keys = [item["MessageId"]["S"] for item in wanted]
    return {key: outcome.failure(key) for key in keys if outcome.failure(key)}


@pytest.mark.parametrize("count", [0, 1, 10, 24, 25, 26, 50, 100, 1001, 10_000])
def test_the_calls_are_as_few_as_25_items_in_each_permit(count: int) -> None:
    dynamodb = FakeDynamoDB(clock=Clock(900))
    outcome = store(dynamodb, items(count))
    assert len(dynamodb.items) == len(outcome.stored) == count
    assert len(dynamodb.calls) == outcome.calls == math.ceil(count / 25)


@pytest.mark.parametrize(("body", "calls"), [("x" * 409_000, 1), ("\x01" * 400_000, 5), ("é" * 200_000, 2)])
def test_a_request_stays_below_16_mb_as_it_is_sent(body: str, calls: int) -> None:
    dynamodb = FakeDynamoDB()
    outcome = store(dynamodb, items(25, body))
    assert len(outcome.stored) == 25
    assert len(dynamodb.calls) == calls


def test_an_item_that_comes_twice_is_written_once() -> None:
    dynamodb = FakeDynamoDB()
    outcome = store(dynamodb, items(3) + items(3))
    assert dynamodb.calls == [["m0", "m1", "m2"]]
    assert outcome.stored == {"m0", "m1", "m2"}


def test_of_different_items_with_one_key_none_is_written() -> None:
    dynamodb = FakeDynamoDB()
    wanted = items(2) + items(1, "another body")
    assert unstored(store(dynamodb, wanted), wanted) == {"m0": "different messages with one MessageId"}
    assert list(dynamodb.items) == ["m1"]


def test_unprocessed_items_are_tried_again_and_no_others() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(skips=frozenset({1, 3})), Answer(skips=frozenset({0}))])
    outcome = store(dynamodb, items(5))
    assert dynamodb.calls == [["m0", "m1", "m2", "m3", "m4"], ["m1", "m3"], ["m1"]]
    assert len(outcome.stored) == len(dynamodb.items) == 5
    assert outcome.unprocessed == 3


def test_unprocessed_items_of_many_calls_share_the_next_call() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(skips=frozenset({0}))] * 4)
    store(dynamodb, items(100))
    assert len(dynamodb.calls) == 5
    assert dynamodb.calls[4] == ["m0", "m25", "m50", "m75"]


def test_unprocessed_items_are_recognised_by_whatever_name_the_answer_gives_the_table() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(skips=frozenset({0}))])
    table = MessageTable(dynamodb, "arn:aws:dynamodb:us-east-1:000000000000:table/Message", sleep=dynamodb.clock.sleep)  # type: ignore[arg-type]
    assert table.store(items(2), dynamodb.clock.remaining).stored == {"m0", "m1"} == set(dynamodb.items)


def test_pauses_grow_exponentially_and_are_drawn_from_nothing_to_the_whole() -> None:
    clock = Clock(900)
    drawn = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high / 2

    dynamodb = FakeDynamoDB(clock, script=[Answer(skips=frozenset({0}))] * ALWAYS)
    wanted = items(2)
    assert unstored(store(dynamodb, wanted, uniform=uniform), wanted) == {
        "m0": "ProvisionedThroughputExceededException"
    }
    assert drawn == [(0, high) for high in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0)]
    assert clock.pauses == [high / 2 for _, high in drawn]
    assert len(dynamodb.calls) == 8


@pytest.mark.parametrize("error", TRANSIENT)
def test_after_a_transient_error_the_call_is_made_again(error: str) -> None:
    dynamodb = FakeDynamoDB(script=[Answer(error=error, skips=frozenset({1}))] * 3)
    outcome = store(dynamodb, items(3))
    assert len(dynamodb.calls) == 4
    assert outcome.stored == {"m0", "m1", "m2"} == set(dynamodb.items)


@pytest.mark.parametrize("error", TRANSIENT)
def test_a_transient_error_that_stays_is_the_reason(error: str) -> None:
    dynamodb = FakeDynamoDB(Clock(900), script=[Answer(error=error)] * ALWAYS)
    wanted = items(2)
    assert unstored(store(dynamodb, wanted), wanted) == {"m0": error, "m1": error}
    assert len(dynamodb.calls) == 8


@pytest.mark.parametrize("error", FINAL)
def test_a_final_error_fails_the_items_of_its_call_alone_and_is_not_repeated(error: str) -> None:
    dynamodb = FakeDynamoDB(script=[Answer(), Answer(error=error)])
    wanted = items(60)
    assert unstored(store(dynamodb, wanted), wanted) == {f"m{n}": error for n in range(25, 50)}
    assert len(dynamodb.items) == 35
    assert len(dynamodb.calls) == 3


def test_a_missing_table_fails_everything_after_one_call_for_each_25() -> None:
    dynamodb = FakeDynamoDB(exists=False)
    wanted = items(50)
    assert set(unstored(store(dynamodb, wanted), wanted).values()) == {"ResourceNotFoundException"}
    assert len(dynamodb.calls) == 2


@unhurried
@given(st.sets(st.integers(0, 59), max_size=60))
def test_an_item_that_the_table_refuses_fails_alone(refused: set[int]) -> None:
    dynamodb = FakeDynamoDB(Clock(900), refused=frozenset(f"m{n}" for n in refused))
    wanted = items(60)
    assert unstored(store(dynamodb, wanted), wanted) == {f"m{n}": "ValidationException" for n in sorted(refused)}
    assert len(dynamodb.items) == 60 - len(refused)


@pytest.mark.parametrize("position", range(25))
def test_one_refused_item_of_25_is_found_in_few_calls(position: int) -> None:
    dynamodb = FakeDynamoDB(refused=frozenset({f"m{position}"}))
    store(dynamodb, items(25))
    assert len(dynamodb.calls) <= 1 + 2 * math.ceil(math.log2(25))


def test_a_call_whose_answer_is_lost_is_not_called_stored() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(error="ReadTimeoutError", seconds=SLOWEST_CALL)] * ALWAYS)
    wanted = items(2)
    assert unstored(store(dynamodb, wanted), wanted) == {"m0": "ReadTimeoutError", "m1": "ReadTimeoutError"}
    assert set(dynamodb.items) == {"m0", "m1"}


def test_no_call_is_made_when_no_time_is_left() -> None:
    dynamodb = FakeDynamoDB(Clock(0))
    wanted = items(2)
    assert unstored(store(dynamodb, wanted), wanted) == {"m0": "no time was left", "m1": "no time was left"}
    assert dynamodb.calls == []


def test_calls_end_with_the_time_and_the_rest_is_not_called_stored() -> None:
    dynamodb = FakeDynamoDB(Clock(1), script=[Answer(seconds=0.3)] * ALWAYS)
    wanted = items(250)
    assert set(unstored(store(dynamodb, wanted), wanted)) == {f"m{n}" for n in range(100, 250)}
    assert len(dynamodb.calls) == 4


def test_halving_ends_with_the_time_too() -> None:
    dynamodb = FakeDynamoDB(Clock(1), script=[Answer(seconds=0.3)] * ALWAYS, refused=frozenset({"m0"}))
    store(dynamodb, items(25))
    assert len(dynamodb.calls) == 4


@unhurried
@given(st.floats(0.01, 60), st.lists(st.floats(0, 3), max_size=30))
def test_no_pause_and_no_call_begins_after_the_time(seconds: float, durations: list[float]) -> None:
    clock = Clock(seconds)
    script = [Answer(error="ThrottlingException", seconds=duration) for duration in durations]
    store(FakeDynamoDB(clock, script=script), items(30))
    assert clock.now < seconds + max([0.01, *durations])


@unhurried
@given(st.integers(0, 80), st.lists(answers, max_size=30), st.floats(0, 30), st.sets(st.integers(0, 80), max_size=3))
def test_whatever_dynamodb_does_what_is_called_stored_is_stored(
    count: int, script: list[Answer], seconds: float, refused: set[int]
) -> None:
    dynamodb = FakeDynamoDB(Clock(seconds), script=script, refused=frozenset(f"m{n}" for n in refused))
    wanted = items(count)
    outcome = store(dynamodb, wanted)
    assert outcome.stored <= set(dynamodb.items)
    assert outcome.stored | set(unstored(outcome, wanted)) == {item["MessageId"]["S"] for item in wanted}
    assert all(dynamodb.items[key] in wanted for key in dynamodb.items)


@unhurried
@given(st.lists(st.integers(0, 400_000), max_size=60))
def test_items_of_any_size_are_stored_in_requests_that_dynamodb_takes(sizes: list[int]) -> None:
    wanted = [{"MessageId": {"S": f"m{n}"}, "Body": {"S": "\x7f" * size}} for n, size in enumerate(sizes)]
    dynamodb = FakeDynamoDB(Clock(900))
    assert len(store(dynamodb, wanted).stored) == len(sizes)
    assert sum(map(size_of, dynamodb.items.values())) == sum(map(size_of, wanted))


class Wire:
    """Stands where the network begins, behind the real client: sees the bytes, and answers."""

    def __init__(self, *answers_: Exception | tuple[int, Any]) -> None:
        self.sent: list[bytes] = []
        self._answers = iter(answers_)
        with mock.patch.dict(os.environ, ENVIRONMENT):
            self.client = connect()
        self.client.meta.events.register("before-send.dynamodb.BatchWriteItem", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        self.sent.append(request.body)
        answer = next(self._answers, (200, {"UnprocessedItems": {}}))
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        raw = mock.Mock(stream=lambda *_, **__: iter([json.dumps(body).encode()]))
        return AWSResponse(request.url, status, {"content-type": "application/x-amz-json-1.0"}, raw)


@pytest.fixture
def no_sleep() -> Iterator[None]:
    with mock.patch("time.sleep", side_effect=AssertionError("botocore slept")):
        yield


@pytest.mark.usefixtures("no_sleep")
@pytest.mark.parametrize(
    "answer",
    [
        (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}),
        (503, {}),
        (400, {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}),
        (400, {"__type": "com.amazon.coral.availability#ThrottlingException"}),
        ConnectionClosedError(endpoint_url="https://dynamodb"),
        ConnectTimeoutError(endpoint_url="https://dynamodb"),
    ],
)
def test_the_real_client_leaves_every_retry_to_the_table(answer: Exception | tuple[int, Any]) -> None:
    wire = Wire(*[answer] * 7)
    clock = Clock(900)
    assert store(wire.client, items(3), clock).stored == {"m0", "m1", "m2"}
    assert len(wire.sent) == 8
    assert len(clock.pauses) == 7


def test_the_real_client_sends_one_small_request_and_reads_what_was_not_processed() -> None:
    wanted = items(2, "ünï\x01")
    wire = Wire((200, {"UnprocessedItems": {"Message": [{"PutRequest": {"Item": wanted[1]}}]}}))
    assert store(wire.client, wanted, Clock()).stored == {"m0", "m1"}
    first, second = (json.loads(sent)["RequestItems"]["Message"] for sent in wire.sent)
    assert first == [{"PutRequest": {"Item": item}} for item in wanted]
    assert second == [{"PutRequest": {"Item": wanted[1]}}]


def test_the_real_client_sends_less_than_16_mb_however_long_the_escapes() -> None:
    wire = Wire()
    store(wire.client, items(25, "\x01" * 409_000), Clock())
    assert max(map(len, wire.sent)) < 16_000_000


def test_the_real_client_gives_up_in_time() -> None:
    config = Wire().client.meta.config
    assert config.connect_timeout + config.read_timeout <= SLOWEST_CALL


def test_an_endpoint_that_refuses_connections_is_no_answer() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound, and nobody listens
        endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{bound.getsockname()[1]}"}
        with mock.patch.dict(os.environ, ENVIRONMENT | endpoint):
            client = connect()
            wanted = items(2)
            outcome = store(client, wanted, Clock())
    assert unstored(outcome, wanted) == {"m0": "EndpointConnectionError", "m1": "EndpointConnectionError"}
