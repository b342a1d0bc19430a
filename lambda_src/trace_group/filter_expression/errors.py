"""What is wrong with a filter expression, and where."""

from __future__ import annotations

_SHOWN = 76


class FilterExpressionError(ValueError):
    """A mistake in a filter expression; as a text it shows the place.

    :param message: what is wrong, and what to write instead.
    :param position: of the mistake in the text; the text's length where something is missing at its end.
    """

    def __init__(self, message: str, position: int, text: str) -> None:
        super().__init__(message, position, text)
        self.message = message
        self.position = position
        self.text = text

    def __str__(self) -> str:
        start = self.text.rfind("\n", 0, self.position) + 1
        line, column = self.text[start:].partition("\n")[0], self.position - start
        # A long line would wrap in a terminal, and leave the caret under something else.
        cut = max(0, column - _SHOWN // 2)
        shown = "".join(char if char.isprintable() else " " for char in line[cut : cut + _SHOWN])
        return f"{self.message}\n  {shown}\n  {' ' * (column - cut)}^"


class RootCauseError(FilterExpressionError):
    """The expression is well formed, but asks for root causes, which X-Ray alone can tell."""
