"""Ratios are of figures of the same round, and the table says honestly what came of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks.comparison import AtLeast, AtMost, Comparison, Measurement, Side, measure
from benchmarks.table import COLUMNS, figure, ratio, row
from benchmarks.workbench import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.comparison import Target

FIGURES = st.floats(min_value=0.001, max_value=1e6)


class Quiet:
    """Progress that nobody watches."""

    def step(self, text: str) -> None: ...
    def detail(self, text: str) -> None: ...
    def step_failed(self) -> None: ...

    def note(self, text: str) -> None: ...


def side(name: str, figures: Sequence[float] = (), order: list[str] | None = None) -> Side:
    following = iter(figures)

    def next_figure() -> float:
        if order is not None:
            order.append(name)
        return next(following, 1.0)

    return Side(name, next_figure)


def measured(ours: Sequence[float], alternative: Sequence[float], target: Target | None = None) -> Measurement:
    return Measurement(Comparison("speed", side("ours"), side("theirs"), "m/s", target), ours, alternative)


def test_a_ratio_is_of_figures_of_the_same_round() -> None:
    # The second round ran on a machine that had become ten times slower: for both sides.
    assert measured([100, 10, 120], [10, 1, 10]).ratios == [10, 10, 12]
    assert measured([100, 10, 120], [10, 1, 10]).ratio == 10


@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=1))
def test_the_ratio_is_within_its_range(rounds: list[tuple[float, float]]) -> None:
    measurement = measured([ours for ours, _ in rounds], [alternative for _, alternative in rounds])
    assert min(measurement.ratios) <= measurement.ratio <= max(measurement.ratios)


@pytest.mark.parametrize(
    ("target", "ratio", "reached"),
    [
        (AtLeast(10), 10, True),
        (AtLeast(10), 9.99, False),
        (AtMost(1.2), 1.2, True),
        (AtMost(1.2), 1.21, False),
        (None, 5, None),
    ],
)
def test_a_target_is_reached_at_its_limit(target: Target | None, ratio: float, reached: bool | None) -> None:
    assert measured([ratio], [1], target).reached is reached


def test_the_median_decides_and_not_the_best_round() -> None:
    assert measured([30, 9, 9], [1, 1, 1], AtLeast(10)).reached is False


def test_the_first_round_does_not_count() -> None:
    compared = Comparison("speed", side("ours", [1, 20, 30]), side("theirs", [1000, 2, 3]), "m/s")
    [measurement] = measure([compared], 2, Quiet())
    assert (measurement.ours, measurement.alternative) == ([20, 30], [2, 3])


def test_the_sides_take_turns_in_being_first_and_a_shared_one_is_measured_once_a_round() -> None:
    order: list[str] = []
    shared = side("theirs", order=order)
    one, four = (Comparison(name, side(name, order=order), shared, "m/s") for name in ("one", "four"))
    measure([one, four], 1, Quiet())
    assert order == ["theirs", "one", "four", "four", "one", "theirs"]


def test_a_row_names_both_sides_and_what_became_of_the_target() -> None:
    cells = row(measured([1500, 1000, 1200], [100, 100, 100], AtLeast(10)))
    assert cells == ["speed", "1,200 m/s", "theirs: 100 m/s", "12.0x", "10.0x-15.0x", "at least 10x", "reached"]
    assert len(cells) == len(COLUMNS)


def test_a_row_says_that_a_target_was_missed_and_nothing_where_there_is_none() -> None:
    assert row(measured([1.3], [1], AtMost(1.2)))[-2:] == ["at most 1.2x", "missed"]
    assert row(measured([1.3], [1]))[-2:] == ["", ""]


@pytest.mark.parametrize(("value", "text"), [(12345.6, "12,346"), (99.94, "99.9"), (4.567, "4.57"), (0.5, "0.5")])
def test_a_figure_has_three_digits_that_mean_something(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_ratio_near_one_is_written_to_the_hundredth() -> None:
    assert (ratio(1.204), ratio(15.27)) == ("1.20x", "15.3x")


@pytest.fixture
def one_benchmark(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    compared = Comparison("speed", side("ours", [1, 4]), side("theirs", [1, 2]), "m/s", AtLeast(3))
    benchmark = command.Benchmark("speed", lambda _: [compared], rounds=1)
    monkeypatch.setattr(command, "BENCHMARKS", {"speed": benchmark})
    return monkeypatch


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("one_benchmark")
def test_the_exit_status_is_0_although_a_target_was_missed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--json"]) == 0
    [compared] = printed(capsys)["comparisons"]
    assert (compared["ratio"]["median"], compared["reached"]) == (2, False)


def test_the_exit_status_is_1_when_something_could_not_be_measured(
    one_benchmark: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unmeasurable(_: object) -> list[Comparison]:
        raise MeasurementError("the emulator did not start")

    broken = command.Benchmark("broken", unmeasurable, rounds=1)
    one_benchmark.setitem(command.BENCHMARKS, "broken", broken)
    assert command.main(["broken", "speed", "--json"]) == 1
    answer = printed(capsys)
    assert answer["not_measured"] == {"broken": "the emulator did not start"}
    assert [compared["title"] for compared in answer["comparisons"]] == ["speed"]


def test_an_unknown_benchmark_is_refused_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["sendr"])
    assert ended.value.code == 2
    complaint = " ".join(capsys.readouterr().err.split())
    assert "Did you mean sender?" in complaint
    assert "consumer, sender, import, synth, lab-up" in complaint
