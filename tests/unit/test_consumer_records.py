"""A record becomes the item of the chapter's lab, or says what is wrong with it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.queue_worker.runtime.records import Message, read, withhold_followers
from tests.unit.fake_dynamodb import FIFO, STANDARD, Record, item_of, record, size_of, unhurried, without

LARGEST = 400 * 1024
FRAME = size_of(item_of(record("m0", "")))


def test_the_item_is_that_of_the_lab() -> None:
    assert read(record("m0", "hello", "1700000000123")).item == {
        "MessageId": {"S": "m0"},
        "Body": {"S": "hello"},
        "Timestamp": {"S": "2023-11-14T22:13:20.123+00:00"},
    }


@unhurried
@given(st.text(), st.integers(min_value=0, max_value=253402300799999))
def test_any_text_and_any_time_is_kept_exactly(body: str, sent: int) -> None:
    item = read(record("m0", body, str(sent))).item
    assert item is not None
    assert item["Body"] == {"S": body}
    kept = datetime.fromisoformat(item["Timestamp"]["S"])
    since = kept - datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert (since.days * 86400 + since.seconds) * 1000 + since.microseconds // 1000 == sent


@unhurried
@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_the_timestamp_is_the_time_of_sending_in_utc_with_its_milliseconds(sent: int) -> None:
    assert read(record(sent=str(sent))).item == item_of(record(sent=str(sent)))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (without(record(), "body"), "body is missing"),
        (record(body=None), "body is missing"),
        (record(body=7), "not a string"),
        (record(body={"a": 1}), "not a string"),
        (record(body="half a pair: \ud83d"), "Body is not valid Unicode"),
        (without(record(), "attributes"), "SentTimestamp is missing"),
        (record() | {"attributes": None}, "SentTimestamp is missing"),
        (without(record(), "attributes", "SentTimestamp"), "SentTimestamp is missing"),
        (record(sent=""), "SentTimestamp is missing"),
        (record(sent="yesterday"), "not a number"),
        (record(sent="-1"), "not a number"),
        (record(sent="1.5"), "not a number"),
        (record(sent=" 1700000000123 "), "not a number"),
        (record(sent="1_700_000_000_123"), "not a number"),
        (record(sent="\u0661\u0667"), "not a number"),
        (record(sent="NaN"), "not a number"),
        (record(sent=True), "not a number"),
        (record(sent="253402300800000"), "after the year 9999"),
        (record(sent="9" * 30), "after the year 9999"),
        (record(sent="9" * 5000), "after the year 9999"),
        (record(body="x" * (LARGEST - FRAME + 1)), f"{LARGEST + 1} bytes"),
        (record(body="é" * (LARGEST // 2)), "larger than"),
        (record(body="x" * 1024 * 1024), "larger than"),
        (record("m" * 2049), "2048 bytes"),
    ],
)
def test_a_bad_record_says_what_is_wrong_and_can_still_be_reported(bad: Record, why: str) -> None:
    message = read(bad)
    assert message.item is None
    assert message.failure is not None
    assert why in message.failure
    assert message.message_id == bad["messageId"]


@pytest.mark.parametrize(
    "bad",
    [
        *(without(record(), "messageId"), record(""), record(None), record(12), record(["m"]), record("\udc00")),
        *(None, 5, "record", [], {}),
    ],
)
def test_a_record_without_a_usable_message_id_has_none(bad: Any) -> None:
    message = read(bad)
    assert message.item is None
    assert message.message_id == ""
    assert message.failure


@pytest.mark.parametrize("character", ["x", "é", "€", "😀", "\x00"])
def test_the_largest_item_of_dynamodb_is_taken_and_one_byte_more_is_not(character: str) -> None:
    space = LARGEST - FRAME
    width = len(character.encode())
    body = character * (space // width) + "x" * (space % width)
    item = read(record(body=body)).item
    assert item is not None
    assert size_of(item) == LARGEST
    assert read(record(body=body + "x")).item is None


@pytest.mark.parametrize("sent", ["0", "253402300799999", 1700000000123])
def test_the_whole_range_of_times_is_taken(sent: object) -> None:
    assert read(record(sent=sent)).failure is None


def test_the_longest_message_id_is_taken() -> None:
    assert read(record("m" * 2048)).failure is None


@unhurried
@given(st.text(min_size=20, alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_what_is_wrong_never_quotes_the_body(body: str) -> None:
    for bad in (
        record(body=body, sent=body),
        record(body=[body]),
        record(body=body * 20_000),
        record(body=body + "\ud800"),
    ):
        failure = read(bad).failure
        assert failure
        assert body not in failure


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(alphabet=st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messageId", "body", "attributes", "SentTimestamp", "eventSourceARN", "MessageGroupId"]),
            inner,
        )
    ),
    max_leaves=12,
)


@unhurried
@given(json_values)
def test_whatever_the_record_is_there_is_an_item_or_a_failure(anything: Any) -> None:
    message = read(anything)
    assert (message.item is None) == bool(message.failure)
    assert message.item is None or message.item["MessageId"]["S"] == message.message_id == anything["messageId"]


def test_only_a_fifo_queue_has_groups_whose_order_counts() -> None:
    assert read(record(group="a")).fifo_group == "a"
    assert read(record(group="a")).fifo_group != read(record(group="b")).fifo_group
    assert read(record(arn=FIFO)).fifo_group == read(record(arn=FIFO)).fifo_group is not None
    assert read(record(group="a", arn=STANDARD)).fifo_group is None
    assert read(without(record(group="a"), "eventSourceARN")).fifo_group is None


def test_followers_in_the_group_of_a_failed_message_fail_too() -> None:
    def message(name: str, failure: str | None = None) -> Message:
        return Message(message_id=name, fifo_group=name[0], failure=failure)

    messages = [
        message("a1"),
        message("b1"),
        message("a2", "bad"),
        message("b2"),
        message("a3"),
        message("a4", "worse"),
    ]
    withhold_followers(messages)
    assert [each.message_id for each in messages if not each.failure] == ["a1", "b1", "b2"]
    assert [each.failure for each in messages if each.failure] == [
        "bad",
        "an earlier message of its group failed",
        "worse",
    ]
