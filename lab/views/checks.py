"""How a runbook looks while it runs and when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from lab.runbook import Outcome, Report, Result
from lab.views.terminal import out, print_table

if TYPE_CHECKING:
    from lab.runbook import Exhibit

_MARKS = {
    Outcome.PASSED: "[green]✓[/green]",
    Outcome.FAILED: "[red]✗[/red]",
    Outcome.SKIPPED: "[yellow]-[/yellow]",
}


def print_result(result: Result) -> None:
    """Print what came of one check: the claim, what it saw, and what that rests on."""
    out.print(f"{_MARKS[result.outcome]} {escape(result.check.title)}  [dim]\\[{result.evidence.value}][/dim]")
    if result.detail:
        shade = "red" if result.outcome is Outcome.FAILED else "dim"
        for line in result.detail.splitlines():
            out.print(f"    [{shade}]{escape(line)}[/{shade}]")


def print_summary(report: Report) -> None:
    """Print the counts."""
    counts = ", ".join(f"{report.count(outcome)} {outcome.value}" for outcome in Outcome)
    colour = "red" if report.count(Outcome.FAILED) else "green"
    out.print(
        f"[{colour}]{report.section}: {counts}[/{colour}] [dim]in {report.seconds:.1f} s on {report.target}[/dim]"
    )


def print_exhibit(exhibit: Exhibit) -> None:
    """Print what a person would look at in the console."""
    out.print()
    out.print(f"[bold]{escape(exhibit.title)}[/bold]")
    print_table(exhibit.columns, exhibit.rows)
