"""The words, values and signs that a filter expression is made of."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from lambda_src.trace_group.filter_expression.errors import FilterExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    NUMBER = auto()
    STRING = auto()
    SIGN = auto()
    JSON = auto()
    END = auto()


@dataclass(frozen=True)
class Token:
    """A piece of the text.

    :param value: a text without its quotation marks, a number as it is written.
    """

    kind: Kind
    value: str
    position: int

    def is_sign(self, *signs: str) -> bool:
        """Tell whether it is one of these signs."""
        return self.kind is Kind.SIGN and self.value in signs

    def is_word(self, *words: str) -> bool:
        """Tell whether it is one of these words, however it is written."""
        return self.kind is Kind.WORD and self.value.upper() in words

    def __str__(self) -> str:
        return "the end" if self.kind is Kind.END else json.dumps(self.value, ensure_ascii=False)


_TOKEN = re.compile(
    r"""(?P<STRING>"(?:\\.|[^"\\])*")
      | (?P<NUMBER>-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<WORD>[A-Za-z_][A-Za-z0-9_.]*(?:\[[^]\n]*\])?)
      | (?P<SIGN>!=|<=|>=|[=<>!(){},:])
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")


def tokens(text: str) -> Iterator[Token]:
    """Read a text to its end, which is a token too.

    :raises FilterExpressionError: at what belongs to no token.
    """
    position = _after_space(text, 0)
    while position < len(text):
        if text[position] == "#":
            end = _end_of_json(text, position)
            yield Token(Kind.JSON, text[position:end], position)
        else:
            found = _TOKEN.match(text, position)
            if not found or not found.lastgroup:
                raise FilterExpressionError(_why_not(text[position]), position, text)
            kind, value, end = Kind[found.lastgroup], found[0], found.end()
            if kind is Kind.STRING:
                value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
            yield Token(kind, value, position)
        position = _after_space(text, end)
    yield Token(Kind.END, "", len(text))


def _after_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _end_of_json(text: str, position: int) -> int:
    """Find where the JSON after a `#` ends."""
    try:
        return json.JSONDecoder().raw_decode(text, position + 1)[1]
    except json.JSONDecodeError as error:
        raise FilterExpressionError(f"This is not JSON: {error.msg}", min(error.pos, len(text)), text) from None
    except (ValueError, RecursionError):
        raise FilterExpressionError(
            "This JSON has too long a number, or is nested too deeply", position, text
        ) from None


def _why_not(char: str) -> str:
    if char == '"':
        return "This text has no quotation mark at its end"
    if char in "'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}":
        return 'A text stands in straight double quotation marks: "..."'
    if char in "[]":
        return "Square brackets hold the key of an annotation: annotation[key]"
    return f"No filter expression has the sign {json.dumps(char, ensure_ascii=False)}"
