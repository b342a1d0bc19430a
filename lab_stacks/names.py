"""Names that a user types: those that do not exist are refused, and those that do are listed."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnknownNameError(ValueError):
    """A section, a posture or another choice that does not exist; the message lists those that do."""


def known(kind: str, name: str, permitted: Iterable[str]) -> str:
    """Return ``name`` if it is ``permitted``.

    :raises UnknownNameError: listing the permitted names, with a guess at what was meant.
    """
    permitted = list(permitted)
    if name in permitted:
        return name
    spellings = {one.replace("_", "-"): one for one in permitted}
    guess = get_close_matches(name.lower().replace("_", "-"), spellings, n=1, cutoff=0.4)
    meant = f" Did you mean {spellings[guess[0]]}?" if guess else ""
    raise UnknownNameError(f"There is no {kind} {name}.{meant} The {kind}s are: {', '.join(permitted)}.")
