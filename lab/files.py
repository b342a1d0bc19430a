"""Reads a text that a person names on the command line: a file, or standard input for ``-``."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.errors import UsageError

STDIN = "-"


def shown(name: str) -> str:
    """Return what to call it in a message."""
    return "standard input" if name == STDIN else name


def read_text(name: str) -> str:
    """Read a text in UTF-8, with a byte order mark or without.

    :raises UsageError: saying why it cannot be read.
    """
    try:
        return (sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{shown(name)} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown(name)} is not UTF-8 text: byte {error.start + 1} is no part of it.") from None
