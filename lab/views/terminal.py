"""The terminal: results on standard output, progress on standard error, plain text where nobody watches."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.status import Status

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


class Steps:
    """Progress on standard error: a spinner with the newest line on a terminal, a line a step elsewhere."""

    def __init__(self, status: Status | None) -> None:
        self._status = status
        self._step = ""
        self._started = time.monotonic()

    def step(self, text: str) -> None:
        """Say what begins now."""
        self.end_step()
        self._step, self._started = text, time.monotonic()
        self._show(text)

    def detail(self, text: str) -> None:
        """Show a line of the work's own output, for as long as it is the newest."""
        if self._status:
            # A narrow terminal would wrap it, and the spinner would leave lines behind.
            room = max(10, err.width - len(self._step) - 8)
            self._show(f"{self._step}  [dim]{escape(text[:room])}[/dim]")

    def waiting_for(self, text: str) -> None:
        """Show what is being done, and leave no line of it."""
        self.end_step()
        self._show(escape(text))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to somebody else inside the ``with`` block."""
        if self._status:
            self._status.stop()
        try:
            yield
        finally:
            if self._status:
                self._status.start()

    def note(self, text: str) -> None:
        """Say something that should still be readable when the work is done."""
        err.print(f"[yellow]![/yellow] {escape(text)}")

    def end_step(self) -> None:
        """Leave a line for the step that is over."""
        self._leave("[green]✓[/green]")

    def step_failed(self) -> None:
        """Leave a line for the step that came to nothing."""
        self._leave("[yellow]![/yellow]")

    def interrupted(self) -> None:
        """Leave a line for what Ctrl-C ended."""
        self._step = f"Interrupted{': ' if self._step else ''}{self._step}"
        self._leave("[red]✗[/red]")

    def _leave(self, mark: str) -> None:
        if self._step:
            took = time.monotonic() - self._started
            err.print(f"{mark} {escape(self._step)} [dim]{took:.1f} s[/dim]")
        self._step = ""

    def _show(self, text: str) -> None:
        if self._status:
            self._status.update(text)


@contextmanager
def steps() -> Iterator[Steps]:
    """Show the progress of what happens inside the ``with`` block."""
    with err.status("") if err.is_terminal else nullcontext() as status:
        progress = Steps(status)
        try:
            yield progress
        except KeyboardInterrupt:
            progress.interrupted()
            raise
        progress.end_step()


def print_json(value: Any) -> None:
    """Print for a program."""
    print(json.dumps(value, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """Print a table; where nobody watches, a line a row with tabs between the cells."""
    if out.is_terminal:
        table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(column, overflow="fold")  # what does not fit goes on in the next line, and is not cut
        for row in rows:
            table.add_row(*(escape(" ".join(cell.split())) for cell in row))
        out.print(table, soft_wrap=False)
    else:
        for row in rows:
            print("\t".join(" ".join(cell.split()) for cell in row))
