"""Describes exceptions for a span: their stacks, and what caused them, but no line of code and no variable."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from .documents import (
    EXCEPTION_CAUSE,
    EXCEPTION_ID,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACK,
    EXCEPTION_TRUNCATED,
    EXCEPTION_TYPE,
)
from .identifiers import identifier
from .redaction import LONGEST_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_CHAIN = 4
_MOST_FRAMES = 30


def described(error: BaseException) -> Iterator[dict[str, str | int]]:
    """Yield the attributes of an event for the exception, then for what caused it."""
    chain = list(_chain(error))
    identifiers = [f"{identifier():016x}" for _ in chain]
    for each, own, cause in zip(chain, identifiers, [*identifiers[1:], ""], strict=True):
        frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(each.__traceback__)]
        yield {
            EXCEPTION_ID: own,
            EXCEPTION_CAUSE: cause,
            EXCEPTION_TYPE: type(each).__qualname__,
            EXCEPTION_MESSAGE: str(each),
            # Python's own form, without the lines of code, which would have to be read from their files first.
            EXCEPTION_STACK: "\n".join(
                f'  File "{code.co_filename[-LONGEST_TEXT:]}", line {line}, in {code.co_name[:LONGEST_TEXT]}'
                for code, line in frames[-_MOST_FRAMES:]
            ),
            EXCEPTION_TRUNCATED: max(len(frames) - _MOST_FRAMES, 0),
        }


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
