"""What can go wrong with a statement, as a program can tell it apart, and with no data in the message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_STATE = re.compile(r"SQLState: (\w{5})")
_CONSTRAINT = re.compile(r'constraint "([^"]+)"')
#: What AWS says when a result is too large; botocore's model knows the second name alone.
_TOO_LARGE = ("response size limit", "UnsupportedResultException")


class DatabaseError(Exception):
    """The database refused a statement.

    The message is the first line of what PostgreSQL says, which names tables, columns and constraints. What follows
    there, such as ``Key (email)=(...) already exists``, has data in it, and is left out.
    """

    def __init__(self, code: str, message: str, sqlstate: str | None) -> None:
        super().__init__(message)
        #: The error's name in the Data API, such as ``DatabaseErrorException``.
        self.code = code
        #: PostgreSQL's five characters for what is wrong, such as ``42501`` for a missing right; None if AWS refused.
        self.sqlstate = sqlstate


class ConstraintViolatedError(DatabaseError):
    """A row is not as a constraint wants it; the transaction around it is of no use any more."""

    def __init__(self, code: str, message: str, sqlstate: str | None) -> None:
        super().__init__(code, message, sqlstate)
        named = _CONSTRAINT.search(message)
        #: The constraint's name; for a value that is missing there is none.
        self.constraint = named[1] if named else None


class UnavailableError(DatabaseError):
    """The database did not answer, or did not resume within the time that it was given."""


class TooLargeError(DatabaseError):
    """A result has more than 1 MiB: ask for less, or use ``pages``."""


def of(error: ClientError) -> DatabaseError | None:
    """Make the error of a response of the Data API; None for one that is about a right of IAM's.

    Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    code, said = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    state = _STATE.search(said)
    sqlstate = state[1] if state else None
    message = said.splitlines()[0].partition("; SQLState")[0] if said else code
    if code in {"AccessDeniedException", "ForbiddenException"}:
        return None
    if any(words in said or words == code for words in _TOO_LARGE):
        return TooLargeError(code, message, sqlstate)
    if code in {"DatabaseResumingException", "DatabaseUnavailableException", "ServiceUnavailableError"}:
        return UnavailableError(code, message, sqlstate)
    if sqlstate and sqlstate.startswith("23"):
        return ConstraintViolatedError(code, message, sqlstate)
    return DatabaseError(code, message, sqlstate)
