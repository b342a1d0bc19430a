"""What long work tells the person who waits for it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by whatever takes longer than a second; a view shows it."""

    def step(self, text: str) -> None:
        """Say what begins now."""

    def detail(self, text: str) -> None:
        """Show a line of the work's own output, for as long as it is the newest."""

    def step_failed(self) -> None:
        """Say that the step came to nothing, where the work goes on without it."""

    def note(self, text: str) -> None:
        """Say something that should still be readable when the work is done."""
