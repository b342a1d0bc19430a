"""The handler loses nothing: every record is in the table, or stays in the queue."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src import tracing
from lambda_src.queue_worker import RUNTIME
from lambda_src.queue_worker.runtime.table import SLOWEST_CALL
from tests.unit.fake_daemon import invoked, named
from tests.unit.fake_dynamodb import (
    ALWAYS,
    ENVIRONMENT,
    FINAL,
    TRANSIENT,
    Answer,
    Clock,
    FakeDynamoDB,
    Record,
    answers,
    consumer,
    invoke,
    item_of,
    record,
    records,
    unhurried,
    without,
)

POISON = {
    "no body": without(record("poison"), "body"),
    "body not a string": record("poison", {"a": 1}),
    "no SentTimestamp": without(record("poison"), "attributes", "SentTimestamp"),
    "SentTimestamp not a number": record("poison", sent="now"),
    "SentTimestamp out of range": record("poison", sent="9" * 20),
    "item too large": record("poison", "x" * 1024 * 1024),
}


def table_of(*batches: list[Record]) -> dict[str, Any]:
    return {each["messageId"]: item_of(each) for batch in batches for each in batch}


@pytest.mark.parametrize("count", [0, 1, 10, 25, 26, 1000, 10_000])
def test_a_good_batch_is_stored_with_the_fewest_calls_and_nothing_is_reported(count: int) -> None:
    dynamodb = FakeDynamoDB(Clock(60))
    invocation = invoke(records(count), dynamodb)
    assert invocation.answer == {"batchItemFailures": []}
    assert dynamodb.items == table_of(records(count))
    assert len(dynamodb.calls) == math.ceil(count / 25)


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_bad_record_fails_alone_and_never_reaches_dynamodb(poison: Record) -> None:
    dynamodb = FakeDynamoDB()
    invocation = invoke([*records(5), poison, record("last")], dynamodb)
    assert invocation.failed == ["poison"]
    assert dynamodb.items == table_of(records(5), [record("last")])
    assert len(dynamodb.calls) == 1


def test_bad_records_alone_are_reported_and_are_no_error_of_the_function() -> None:
    dynamodb = FakeDynamoDB()
    assert invoke([record("a", None), record("b", None)], dynamodb).failed == ["a", "b"]
    assert dynamodb.calls == []


@pytest.mark.parametrize("bad", [without(record(), "messageId"), record(""), record(None), record(7), {}, None, "junk"])
def test_a_record_that_cannot_be_reported_fails_its_whole_batch_after_the_others_are_stored(bad: Any) -> None:
    dynamodb = FakeDynamoDB()
    batch = [*records(3), bad]
    invocation = invoke(batch, dynamodb)
    assert isinstance(invocation.error, consumer.UnidentifiedRecordError)
    assert invocation.left_in_queue(batch) == batch
    assert dynamodb.items == table_of(records(3))


@pytest.mark.parametrize("error", [*TRANSIENT, *FINAL])
def test_when_dynamodb_takes_nothing_the_invocation_is_an_error_and_everything_stays_in_the_queue(error: str) -> None:
    dynamodb = FakeDynamoDB(script=[Answer(error=error)] * ALWAYS)
    batch = [*records(10), record("poison", None)]
    invocation = invoke(batch, dynamodb)
    assert isinstance(invocation.error, consumer.NothingStoredError)
    assert error in str(invocation.error)
    assert invocation.left_in_queue(batch) == batch
    assert invocation.metrics["MessagesFailed"] == 11


@pytest.mark.parametrize("error", [*TRANSIENT, *FINAL])
def test_when_dynamodb_takes_something_the_rest_is_reported(error: str) -> None:
    dynamodb = FakeDynamoDB(script=[Answer(), *[Answer(error=error, skips=frozenset(range(25)))] * ALWAYS])
    batch = records(30)
    assert invoke(batch, dynamodb).failed == [f"m{n}" for n in range(25, 30)]
    assert dynamodb.items == table_of(batch[:25])


def test_an_invocation_that_begins_without_time_says_so_and_everything_stays_in_the_queue() -> None:
    batch = records(2)
    invocation = invoke(batch, FakeDynamoDB(Clock(0)))
    assert str(invocation.error) == "of 2 messages: {'no time was left': 2}"
    assert invocation.left_in_queue(batch) == batch


def test_an_item_that_the_table_refuses_is_reported_and_its_batch_mates_are_stored() -> None:
    dynamodb = FakeDynamoDB(refused=frozenset({"m7"}))
    assert invoke(records(25), dynamodb).failed == ["m7"]
    assert len(dynamodb.items) == 24


def test_the_same_message_twice_in_a_batch_is_stored_once() -> None:
    dynamodb = FakeDynamoDB()
    assert invoke([*records(2), *records(2)], dynamodb).failed == []
    assert dynamodb.calls == [["m0", "m1"]]


def test_the_same_message_twice_in_a_batch_fails_as_one() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(skips=frozenset({1})), *[Answer(error="ThrottlingException")] * ALWAYS])
    assert invoke([*records(2), *records(2)], dynamodb).failed == ["m1"]


def test_different_messages_with_one_message_id_are_not_acknowledged() -> None:
    dynamodb = FakeDynamoDB()
    assert invoke([record("a", "one"), record("b"), record("a", "two")], dynamodb).failed == ["a"]


def test_a_redelivery_leaves_the_item_as_it_is() -> None:
    dynamodb = FakeDynamoDB()
    invoke(records(3), dynamodb)
    before = dict(dynamodb.items)
    redelivered = [each | {"receiptHandle": "another"} for each in records(3)]
    for each in redelivered:
        each["attributes"] |= {"ApproximateReceiveCount": "2", "ApproximateFirstReceiveTimestamp": "1700000099999"}
    assert invoke(redelivered, dynamodb).failed == []
    assert dynamodb.items == before
    assert dynamodb.overwritten == []


good_records = st.builds(
    record,
    st.sampled_from([f"m{n}" for n in range(40)]),
    st.text(max_size=50),
    st.integers(0, 4_000_000_000_000).map(str),
)
bad_records = st.sampled_from([*POISON.values(), record(""), record(None), {}])
batches = st.lists(good_records | bad_records, max_size=60)
scripts = st.lists(answers, max_size=30)


@unhurried
@given(batches, scripts, st.floats(1, 60))
def test_every_record_is_in_the_table_or_stays_in_the_queue(
    batch: list[Record], script: list[Answer], seconds: float
) -> None:
    dynamodb = FakeDynamoDB(Clock(seconds), script=script)
    left = invoke(batch, dynamodb).left_in_queue(batch)
    for each in batch:
        assert each in left or dynamodb.items[each["messageId"]] == item_of(each)
    for stored in dynamodb.items.values():
        assert stored in [item_of(each) for each in batch if each not in POISON.values() and each.get("messageId")]
    assert dynamodb.overwritten == []


@unhurried
@given(st.data())
def test_any_sequence_of_redeliveries_ends_with_one_item_for_each_message(data: st.DataObject) -> None:
    sent = [
        record(f"m{n}", body, str(1700000000000 + n))
        for n, body in enumerate(data.draw(st.lists(st.text(max_size=20), min_size=1, max_size=40)))
    ]
    expected = table_of(sent)
    dynamodb = FakeDynamoDB(Clock(10_000), script=data.draw(scripts))
    queue = list(sent)
    for _ in range(data.draw(st.integers(0, 6))):
        batch = data.draw(st.lists(st.sampled_from(sent), max_size=50))
        left = invoke(batch, dynamodb).left_in_queue(batch)
        queue = [each for each in queue if each in left or each not in batch]
        assert dynamodb.items.items() <= expected.items()
        assert all(each in queue or each["messageId"] in dynamodb.items for each in sent)
    dynamodb.recover()
    assert invoke(queue, dynamodb).left_in_queue(queue) == []
    assert dynamodb.items == expected
    assert dynamodb.overwritten == []


def fifo(*names: str) -> list[Record]:
    """Records of a FIFO queue: ``a1`` is of group a; ``!a1`` has no body."""
    return [record(name.lstrip("!"), None if name[0] == "!" else "hello", group=name.lstrip("!")[0]) for name in names]


def test_after_a_bad_record_nothing_of_its_fifo_group_is_written_or_acknowledged() -> None:
    dynamodb = FakeDynamoDB()
    assert invoke(fifo("a1", "b1", "!a2", "a3", "b2", "a4"), dynamodb).failed == ["a2", "a3", "a4"]
    assert dynamodb.calls == [["a1", "b1", "b2"]]


def test_after_a_write_that_failed_nothing_of_its_fifo_group_is_acknowledged() -> None:
    dynamodb = FakeDynamoDB(
        script=[Answer(skips=frozenset({1}), error=None)] + [Answer(error="ThrottlingException")] * ALWAYS
    )
    assert invoke(fifo("b1", "a1", "a2", "b2", "a3"), dynamodb).failed == ["a1", "a2", "a3"]


def test_what_was_withheld_is_stored_when_it_is_delivered_again() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(skips=frozenset({0}))] + [Answer(error="ThrottlingException")] * 7)
    batch = fifo("a1", "a2", "b1")
    left = invoke(batch, dynamodb).left_in_queue(batch)
    assert left == fifo("a1", "a2")
    assert invoke(left, dynamodb).failed == []
    assert dynamodb.items == table_of(batch)
    assert dynamodb.overwritten == []


def test_the_order_of_groups_counts_on_fifo_queues_only() -> None:
    batch = [each | {"eventSourceARN": "arn:aws:sqs:us-east-1:1:Messages"} for each in fifo("!a1", "a2")]
    assert invoke(batch, FakeDynamoDB()).failed == ["a1"]


@unhurried
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=10), scripts)
def test_of_a_fifo_group_only_its_first_messages_are_acknowledged(
    kinds: list[tuple[str, bool]], script: list[Answer]
) -> None:
    batch = fifo(*(f"{'' if good else '!'}{group}{n}" for n, (group, good) in enumerate(kinds)))
    dynamodb = FakeDynamoDB(script=script)
    left = invoke(batch, dynamodb).left_in_queue(batch)
    for group in "abc":
        acknowledged = [each not in left for each in batch if each["attributes"]["MessageGroupId"] == group]
        assert acknowledged == sorted(acknowledged, reverse=True)
    assert all(each in left or dynamodb.items[each["messageId"]] == item_of(each) for each in batch)


@pytest.mark.parametrize("seconds", [1, 3, 10, 60, 900])
@pytest.mark.parametrize("count", [10, 1000])
def test_a_table_that_throttles_for_ever_does_not_keep_the_answer_from_coming_in_time(seconds: int, count: int) -> None:
    throttled = Answer(error="ThrottlingException", seconds=0.02)
    dynamodb = FakeDynamoDB(Clock(seconds), script=[Answer(), *[throttled] * 100_000])
    invocation = invoke([*records(25), *(record(f"n{n}") for n in range(count))], dynamodb)
    assert dynamodb.clock.now < seconds
    assert len(invocation.failed) == count


@unhurried
@given(st.integers(7, 900), scripts, st.integers(1, 100))
def test_the_answer_comes_in_time_however_slow_dynamodb_is(seconds: int, script: list[Answer], count: int) -> None:
    dynamodb = FakeDynamoDB(
        Clock(seconds), script=[*script, *[Answer(error="ReadTimeoutError", seconds=SLOWEST_CALL)] * 500]
    )
    invoke(records(count), dynamodb)
    assert dynamodb.clock.remaining() > 0.25


def test_a_short_timeout_still_leaves_half_of_it_for_writing() -> None:
    dynamodb = FakeDynamoDB(Clock(3), script=[Answer(seconds=0.1)] * ALWAYS)
    invocation = invoke(records(10_000), dynamodb)
    assert len(dynamodb.items) >= 14 * 25
    assert len(dynamodb.items) + len(invocation.failed) == 10_000
    assert dynamodb.clock.now < 3


@unhurried
@given(batches, scripts)
def test_no_line_at_info_or_above_holds_a_body(batch: list[Record], script: list[Answer]) -> None:
    marked = [
        each | {"body": f"SECRET {each['body']}"} if isinstance(each.get("body"), str) else each for each in batch
    ]
    invocation = invoke(marked, FakeDynamoDB(script=script))
    assert "SECRET" not in invocation.printed
    assert "SECRET" not in str(invocation.error)


def test_every_failed_record_is_a_warning_with_its_message_id_and_the_reason() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(skips=frozenset({1}))] + [Answer(error="ThrottlingException")] * ALWAYS)
    invocation = invoke([*records(2), record("poison", None)], dynamodb)
    warnings = [line for line in invocation.logs if line["level"] == "WARNING"]
    assert [(line["messageId"], line["reason"]) for line in warnings] == [
        ("m1", "ThrottlingException"),
        ("poison", "body is missing or not a string"),
    ]
    assert all(line["function_request_id"] == "request" and line["service"] == "sqs-lambda" for line in warnings)


def test_a_batch_is_one_line_at_info_and_one_set_of_metrics() -> None:
    dynamodb = FakeDynamoDB(script=[Answer(skips=frozenset({0, 1}))])
    invocation = invoke([*records(30), record("poison", None)], dynamodb)
    counts = {"MessagesStored": 30, "MessagesFailed": 1, "UnprocessedItems": 2, "BatchWriteItemCalls": 3}
    [info] = [line for line in invocation.logs if line["level"] == "INFO"]
    assert counts.items() <= info.items()
    assert counts.items() <= invocation.metrics.items()
    assert invocation.metrics["service"] == "sqs-lambda"


def test_a_batch_is_traced_with_its_counts_and_no_body(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = record("poison", None), record("a", "SECRET")
    with invoked(monkeypatch) as daemon:
        assert invoke(list(sent), FakeDynamoDB()).failed == ["poison"]
        received = daemon.received()

    handler, store = named(received, "handler"), named(received, "store")
    assert store["parent_id"] == handler["id"]
    assert store["annotations"] == {"messages": 2, "stored": 1}
    assert "SECRET" not in json.dumps(received)


def test_an_invocation_that_stores_nothing_is_a_fault_in_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    with invoked(monkeypatch) as daemon:
        invoke(records(2), FakeDynamoDB(script=[Answer(error="AccessDeniedException")] * ALWAYS))
        handler = named(daemon.received(), "handler")

    assert handler["fault"] is True
    assert handler["cause"]["exceptions"][0]["type"] == "NothingStoredError"


def start(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(RUNTIME.parent), str(tracing.RUNTIME)]),
            **ENVIRONMENT,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_table_name_the_function_does_not_start() -> None:
    started = start("import runtime.handler", TABLE_NAME="")
    assert started.returncode != 0
    assert "RuntimeError: TABLE_NAME is not set" in started.stderr


@pytest.mark.parametrize(
    ("environment", "namespace"), [({}, "ServerlessLab"), ({"POWERTOOLS_METRICS_NAMESPACE": "X"}, "X")]
)
def test_the_namespace_of_the_metrics_comes_from_the_environment(environment: dict[str, str], namespace: str) -> None:
    started = start("import runtime.handler as h; print(h.metrics.namespace)", **environment)
    assert started.stdout.strip() == namespace


def test_starting_loads_neither_the_cdk_nor_what_a_cold_start_can_do_without() -> None:
    started = start("import sys, runtime.handler; print(*sys.modules)")
    loaded = set(started.stdout.split())
    assert "runtime.handler" in loaded, started.stderr
    assert loaded.isdisjoint({"aws_cdk", "jsii", "boto3", "s3transfer", "pydantic", "aws_xray_sdk", "lambda_src"})
    assert not any(name.startswith("aws_lambda_powertools.utilities.data_classes") for name in loaded)
