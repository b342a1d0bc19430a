"""Refuses a construct's impossible options, all of them in one error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from aws_cdk import Token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct


class InvalidOptionsError(ValueError):
    """Options of a construct are impossible; the message names the construct, and each of them."""


class Options:
    """Collects what is wrong with a construct's options."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self.problems: list[str] = []

    def require(self, holds: bool, option: str, value: object, permitted: str) -> None:
        """Note that ``option`` has a ``value`` that is not ``permitted``, unless the claim ``holds``.

        A value that only CloudFormation knows (a token) is CloudFormation's to check.
        """
        if not holds and not _is_token(value):
            self.problems.append(f"{option} is {value}: {permitted}")


def _is_token(value: object) -> bool:
    try:
        return bool(Token.is_unresolved(value))
    except (AttributeError, TypeError):
        # No value of the CDK's at all, such as a path or an enumeration of ours: it cannot even be asked.
        return False


@contextmanager
def checked(construct: type[Construct], scope: Construct, construct_id: str) -> Iterator[Options]:
    """Check options inside the ``with`` block, before anything is made.

    :raises InvalidOptionsError: at the end of the block, naming the construct and every option that is wrong.
    """
    options = Options()
    yield options
    if options.problems:
        path = "/".join(filter(None, [scope.node.path, construct_id]))
        raise InvalidOptionsError(f"{construct.__name__} {path}:\n  " + "\n  ".join(options.problems))
