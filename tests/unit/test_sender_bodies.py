"""What may be sent: bodies, batches of them, and the options that say how much and how fast."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_src.message_sender.runtime.batches import in_batches
from lambda_src.message_sender.runtime.bodies import random_bodies, why_refused
from lambda_src.message_sender.runtime.plan import Plan

MIB = 1_048_576
# Sizes around what fits into a batch with others, alone, and with one other of its size.
sizes = st.one_of(st.integers(1, 300), st.integers(100_000, 110_000), st.sampled_from([MIB // 2, MIB // 2 + 1, MIB]))
bodies_of_all_sizes = st.lists(st.builds(str.__mul__, st.sampled_from(["a", "b", "c"]), sizes), max_size=40)


@settings(deadline=None)
@given(bodies_of_all_sizes, st.integers(1, 10))
def test_every_body_is_in_exactly_one_batch_in_order(bodies: list[str], size: int) -> None:
    assert list(itertools.chain.from_iterable(in_batches(bodies, size))) == bodies


@settings(deadline=None)
@given(bodies_of_all_sizes, st.integers(1, 10))
def test_every_batch_is_within_the_limits_of_a_request(bodies: list[str], size: int) -> None:
    for batch in in_batches(bodies, size):
        assert 1 <= len(batch) <= size
        assert sum(len(body.encode()) for body in batch) <= MIB


@settings(deadline=None)
@given(bodies_of_all_sizes)
def test_no_batch_could_have_taken_the_next_body_too(bodies: list[str]) -> None:
    for batch, following in itertools.pairwise(in_batches(bodies)):
        assert len(batch) == 10 or sum(len(body.encode()) for body in [*batch, following[0]]) > MIB


def test_bytes_count_and_not_characters() -> None:
    assert [len(batch) for batch in in_batches(["é" * (MIB // 4)] * 4)] == [2, 2]


def test_a_body_is_drawn_no_earlier_than_its_batch_needs_it() -> None:
    bodies = iter(["first", "second", "third"])
    next(in_batches(bodies, 2))
    assert list(bodies) == ["third"]


def test_random_bodies_are_acceptable_distinct_and_about_as_long_as_fakers_own() -> None:
    bodies = list(itertools.islice(random_bodies(), 5000))
    assert len(set(bodies)) == 5000
    assert {why_refused(body) for body in bodies} == {None}
    assert 100 < sum(map(len, bodies)) / 5000 < 300


@pytest.mark.parametrize("body", ["a", "\t\n\r ", "\ud7ff\ue000\ufffd", "\U00010000\U0010ffff", "a" * MIB])
def test_sqs_accepts(body: str) -> None:
    assert why_refused(body) is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "is empty"),
        ("ok\x00", r"U\+0000 at position 2"),
        ("\x0b", r"U\+000B"),
        ("\x1f", r"U\+001F"),
        ("caf\udce9", r"U\+DCE9 at position 3"),
        ("\ufffe", r"U\+FFFE"),
        ("\uffff", r"U\+FFFF"),
        ("a" * (MIB + 1), "1,048,577 bytes"),
        ("é" * (MIB // 2 + 1), "1,048,578 bytes"),
    ],
)
def test_sqs_refuses_and_a_plan_says_why(body: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"message .*{reason}"):
        Plan(message=body)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"count": 0}, "count is 0: 1 or more"),
        ({"interval": -0.1}, "interval is -0.1: 0 or more"),
        ({"interval": math.nan}, "interval is nan"),
        ({"interval": math.inf}, "interval is inf"),
        ({"rate": 0.0}, "rate is 0: more than 0"),
        ({"rate": -1.0}, "rate is -1"),
        ({"rate": math.nan}, "rate is nan"),
        ({"parallel": 0}, "parallel is 0: 1 to 64"),
        ({"parallel": 65}, "parallel is 65: 1 to 64"),
        ({"interval": 0.0, "rate": 1.0}, "interval and rate"),
    ],
)
def test_a_plan_refuses_what_is_outside_its_range(options: dict[str, float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Plan(**options)  # type: ignore[arg-type]


def test_all_that_is_wrong_with_a_plan_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"message is empty.*; count is -1.*; parallel is 99"):
        Plan(message="", count=-1, parallel=99)


@pytest.mark.parametrize(
    ("plan", "batch_size", "seconds_per_message"),
    [
        (Plan(), 10, 0),
        (Plan(interval=0), 10, 0),
        (Plan(interval=0.1), 1, 0.1),
        (Plan(rate=500), 10, 0.002),
        (Plan(rate=4), 4, 0.25),
        (Plan(rate=0.5), 1, 2),
    ],
)
def test_a_batch_holds_no_more_than_the_pace_allows(plan: Plan, batch_size: int, seconds_per_message: float) -> None:
    assert plan.batch_size == batch_size
    assert plan.seconds_per_message == pytest.approx(seconds_per_message)


def test_a_plan_makes_as_many_bodies_as_it_counts() -> None:
    assert list(Plan(message="hello", count=3).bodies()) == ["hello"] * 3
