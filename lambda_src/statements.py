"""Reads just enough of PostgreSQL's SQL to know where a statement ends, and what in it is a parameter.

Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<quoted>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<open>[eE]?'|"|\$(?:[^\W\d]\w*)?\$)
    | (?P<cast>::)
    | (?P<parameter>:[^\W\d]\w*)
    | (?P<end>;)
    | (?P<word>\w[\w$]*)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ROUTINE = re.compile(r"create (or replace )?(function|procedure)\b")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class UnterminatedError(ValueError):
    """A text, an identifier or a comment begins and does not end; the message says in which line."""


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """Split SQL into pieces, each with its kind: ``comment``, ``quoted``, ``parameter``, ``end``, ``word``, and others.

    :raises UnterminatedError: naming the line in which what does not end begins.
    """
    position = 0
    while position < len(sql):
        found = _TOKEN.match(sql, position)
        assert found is not None  # noqa: S101 - the last alternative takes any character
        kind, end = str(found.lastgroup), found.end()
        if kind == "open":
            raise UnterminatedError(f"line {_line(sql, position)}: what begins with {found[0]} does not end")
        elif kind == "block":
            kind, end = "comment", _end_of_comment(sql, position)
        yield kind, sql[position:end]
        position = end


def statements(sql: str) -> list[str]:
    """Split SQL at the semicolons that end statements; what is nothing but comments is left out.

    The body of a function in standard SQL, ``BEGIN ATOMIC ... END``, has semicolons that do not.

    >>> statements("SELECT ';'; -- done\\n")
    ["SELECT ';'"]

    :raises UnterminatedError: as ``tokens`` does.
    """
    found: list[list[tuple[str, str]]] = [[]]
    body = _Body()
    for kind, text in tokens(sql):
        body.read(kind, text)
        if kind == "end" and not body.is_open:
            found.append([])
        else:
            found[-1].append((kind, text))
    if body.is_open:
        raise UnterminatedError(f"line {body.line}: what begins with BEGIN ATOMIC does not end")
    meant = [pieces for pieces in found if any(kind not in {"comment", "space"} for kind, _ in pieces)]
    return ["".join(text for _, text in pieces).strip() for pieces in meant]


def parameters(sql: str) -> list[str]:
    """Name the parameters of a statement, each once, in the order in which they first stand in it.

    >>> parameters("SELECT now()::date WHERE :limit > 0 AND ':no' <> :limit")
    ['limit']
    """
    return list(dict.fromkeys(text[1:] for kind, text in tokens(sql) if kind == "parameter"))


class _Body:
    """Follows a text, to know whether it is inside the body of a function or a procedure in standard SQL.

    Source: https://www.postgresql.org/docs/current/sql-createfunction.html
    """

    def __init__(self) -> None:
        self._words: list[str] = []
        self._depth = 0
        self._read_lines = 1
        #: In which the body begins.
        self.line = 0

    @property
    def is_open(self) -> bool:
        """Whether it has begun, and has not ended yet."""
        return self._depth > 0

    def read(self, kind: str, text: str) -> None:
        """Go on by one piece of the text."""
        if kind == "end" and not self.is_open:
            self._words = []
        elif kind == "word":
            self._read_word(text.lower())
        self._read_lines += text.count("\n")

    def _read_word(self, word: str) -> None:
        if self.is_open:
            self._depth += {"case": 1, "end": -1}.get(word, 0)
        elif word == "atomic" and self._words[-1:] == ["begin"] and _ROUTINE.match(" ".join(self._words)):
            self._depth, self.line = 1, self._read_lines
        self._words.append(word)


def _line(sql: str, position: int) -> int:
    return sql.count("\n", 0, position) + 1


def _end_of_comment(sql: str, begin: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, begin):  # PostgreSQL's comments nest.
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise UnterminatedError(f"line {_line(sql, begin)}: what begins with /* does not end")
