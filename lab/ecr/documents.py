"""Reads what a person wrote or saved as JSON: a file, or standard input for ``-``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lab.errors import UsageError

STDIN = "-"


def read(name: str) -> Any:
    """Read a JSON document.

    :raises UsageError: saying why it cannot be read, or in which line and column it stops being JSON.
    """
    shown = "standard input" if name == STDIN else name
    try:
        text = (sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()).decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_without_repetition)
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is not UTF-8 text: byte {error.start + 1} is no part of it.") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{shown}, line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise UsageError(f"{shown} is nested too deeply.") from None
    except _RepetitionError as error:
        raise UsageError(f"{shown} says {error} twice in one object, of which only the last would count.") from None


class _RepetitionError(Exception):
    """The name of a property that is there twice."""


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, value in pairs:
        if name in properties:
            raise _RepetitionError(json.dumps(name))
        properties[name] = value
    return properties
