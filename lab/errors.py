"""What can go wrong in a way that the person at the terminal can mend: one sentence, and an exit status."""

from __future__ import annotations


class LabError(Exception):
    """Something did not work; the message says what, and what to do. Exit status 1."""

    exit_status = 1


class UsageError(LabError):
    """What was asked for does not exist or makes no sense; nothing was done. Exit status 2."""

    exit_status = 2
