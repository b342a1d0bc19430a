"""When messages go: by a clock that only the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_src.message_sender.runtime.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def departures(seconds_per_message: float, batches: list[int], taken: list[float] | None = None) -> list[float]:
    """When each of the batches goes, if sending each takes as long as ``taken`` says."""
    clock = Clock()
    pace = Pace(seconds_per_message, wait=clock.wait, clock=clock)
    times = []
    for messages, seconds in zip(batches, taken or [0.0] * len(batches), strict=True):
        pace.wait_for(messages)
        times.append(clock.now - 1000.0)
        clock.now += seconds
    return times


def test_each_batch_waits_until_those_before_it_have_had_their_time() -> None:
    assert departures(0.5, [1, 1, 10, 2, 1]) == pytest.approx([0, 0.5, 1, 6, 7])


def test_the_time_that_sending_takes_is_not_added_to_the_interval() -> None:
    assert departures(1, [1, 1, 1], taken=[0.4, 0.4, 0.4]) == pytest.approx([0, 1, 2])


def test_a_small_delay_does_not_lower_the_rate() -> None:
    assert departures(1, [1, 1, 1, 1], taken=[1.5, 0, 0, 0]) == pytest.approx([0, 1.5, 2, 3])


def test_a_long_delay_is_not_made_up_for_in_a_burst() -> None:
    assert departures(1, [1, 1, 1, 1], taken=[60, 0, 0, 0]) == pytest.approx([0, 60, 60, 61])


def test_without_a_pace_nothing_waits() -> None:
    assert departures(0, [10, 10, 10]) == [0, 0, 0]


@settings(deadline=None)
@given(
    st.floats(0.001, 10),
    st.lists(st.tuples(st.integers(1, 10), st.floats(0, 20)), min_size=2, max_size=30),
)
def test_no_stretch_of_time_sees_more_than_its_share_and_two_batches(
    seconds_per_message: float, sent: list[tuple[int, float]]
) -> None:
    batches = [messages for messages, _ in sent]
    times = departures(seconds_per_message, batches, taken=[seconds for _, seconds in sent])
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            share = (times[last] - times[first]) / seconds_per_message
            assert sum(batches[first : last + 1]) <= share + 2 * 10 + 1e-6
