"""Traces as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lab.views.names import printable, short
from lab.views.timeline import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.traces import Summary

COLUMNS = ("ID", "START", "REQUEST", "STATUS", "TOOK", "FLAGS", "ANNOTATIONS")
# The time in seconds, and enough of the rest: `lab traces show` takes the beginning of an id.
_SHORTEST = 16


def rows(found: Sequence[Summary], *, brief: bool) -> list[list[str]]:
    """Write a line for each trace.

    :param brief: for a terminal: of the id as much as tells them apart, of the time the hour, of the URL the path.
    """
    letters = _telling_apart([one.id for one in found])
    return [
        [
            one.id[:letters] if brief else one.id,
            one.time[11:19] if brief else one.time,
            printable(_request(one) if brief else one.request),
            "" if one.status is None else str(one.status),
            "" if one.response_time is None else seconds(one.response_time),
            ", ".join(one.flags),
            str(len(one.annotations)),
        ]
        for one in found
    ]


def _telling_apart(ids: Sequence[str]) -> int:
    longest = max(map(len, ids), default=0)
    lengths = range(_SHORTEST, longest)
    return next((length for length in lengths if len({one[:length] for one in ids}) == len(ids)), longest)


def _request(one: Summary) -> str:
    return f"{one.method} {urlsplit(one.url).path or '/'}".strip() if one.url else short(one.name)
