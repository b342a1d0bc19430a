"""Keeps whatever goes wrong with a trace away from the request that is traced."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_R = TypeVar("_R")

_logger = logging.getLogger("tracing")
_told: set[tuple[str, type[Exception]]] = set()


def harmless(work: Callable[_P, _R]) -> Callable[_P, _R | None]:
    """Let no failure out of ``work``: it answers ``None`` then, and the log tells of the first of each kind."""

    @functools.wraps(work)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R | None:
        try:
            return work(*args, **kwargs)
        except Exception as error:
            failure = (work.__qualname__, type(error))
            if failure not in _told:
                _told.add(failure)
                _logger.warning("Part of a trace is lost: %s in %s", type(error).__name__, work.__qualname__)
            return None

    return guarded
