"""Reads what a person wrote or saved as JSON: a file, or standard input for ``-``."""

from __future__ import annotations

import json
from typing import Any

from lab.errors import UsageError
from lab.files import STDIN, read_text, shown

__all__ = ["STDIN", "read"]


def read(name: str) -> Any:
    """Read a JSON document.

    :raises UsageError: saying why it cannot be read, or in which line and column it stops being JSON.
    """
    text, called = read_text(name), shown(name)
    try:
        return json.loads(text, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        raise UsageError(f"{called}, line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise UsageError(f"{called} is nested too deeply.") from None
    except _RepetitionError as error:
        raise UsageError(f"{called} says {error} twice in one object, of which only the last would count.") from None


class _RepetitionError(Exception):
    """The name of a property that is there twice."""


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, value in pairs:
        if name in properties:
            raise _RepetitionError(json.dumps(name))
        properties[name] = value
    return properties
