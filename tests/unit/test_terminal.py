"""What long work leaves on the terminal: a line a step, whichever way it ended; and tables that lose nothing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lab.views import terminal


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(terminal, "err", Console(file=written, width=200))
    return written


def lines(shown: io.StringIO) -> list[str]:
    return [line.rpartition(" 0.")[0] or line for line in shown.getvalue().splitlines()]


def test_a_step_leaves_a_line_when_it_is_over(shown: io.StringIO) -> None:
    with terminal.steps() as progress:
        progress.step("Digging")
        progress.step("Filling [in]")
    assert lines(shown) == ["✓ Digging", "✓ Filling [in]"]


def test_a_step_that_came_to_nothing_is_not_ticked_off(shown: io.StringIO) -> None:
    with terminal.steps() as progress:
        progress.step("Digging")
        progress.step_failed()
        progress.note("it is all rock")
    assert lines(shown) == ["! Digging", "! it is all rock"]


@pytest.mark.parametrize(("step", "said"), [("Digging", "✗ Interrupted: Digging"), (None, "✗ Interrupted")])
def test_ctrl_c_says_what_it_ended(shown: io.StringIO, step: str | None, said: str) -> None:
    def work() -> None:
        with terminal.steps() as progress:
            if step:
                progress.step(step)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert lines(shown) == [said]


def test_a_narrow_terminal_cuts_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(terminal, "out", Console(file=written, width=40, force_terminal=True, color_system=None))
    terminal.print_table(["ID", "TEXT"], [["0123456789" * 4, "a text of several words, which is longer than its line"]])
    first = "".join(line.split()[0] for line in written.getvalue().splitlines()[1:] if line[0] != " ")
    assert first == "0123456789" * 4
