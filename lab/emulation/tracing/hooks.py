"""How MiniStack's functions are replaced by ones that also trace."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


def wrap(owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
    """Put ``wrapper(original, *arguments)`` in the place of ``owner``'s function of that name."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        return wrapper(original, *arguments, **options)

    setattr(owner, name, wrapped)


def never_fails(record: Callable[..., None]) -> Callable[..., None]:
    """Have a function that records something log what goes wrong in it, and not raise."""

    @functools.wraps(record)
    def careful(*arguments: Any, **options: Any) -> None:
        try:
            record(*arguments, **options)
        except Exception:  # whatever it is, the request goes on
            _log.exception("%s: not traced", record.__qualname__)

    return careful
