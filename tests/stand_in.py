"""Puts a Python program in the place of a command, for tests of what calls that command."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def install(command: Path, program: str) -> None:
    """Install a program as a command; its ``__file__`` is the command's with ``.py``.

    A shell starts it: the path of this Python may have a space, which an interpreter's after ``#!`` cannot.
    """
    source = command.with_suffix(".py")
    source.write_text(program)
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(source))} "$@"\n')
    command.chmod(0o755)
