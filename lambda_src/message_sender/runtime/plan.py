"""What is to be sent, how much of it, and how fast."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .batches import MAX_ENTRIES
from .bodies import random_bodies, why_refused

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARALLEL = 64


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be sent, how much of it, and how fast: by default random texts, without end, as fast as possible.

    :param message: body of every message, 1 character to 1,048,576 bytes in UTF-8; by default each is a random text.
    :param count: messages in all, 1 or more; by default there is no end.
    :param interval: seconds from one message to the next, 0 or more. Above 0, messages go one by one, and not in
        batches.
    :param rate: messages a second, above 0, over all workers; not together with ``interval``.
    :param parallel: workers that send batches at the same time, 1 to 64.
    :raises ValueError: naming every option outside its range.
    """

    message: str | None = None
    count: int | None = None
    interval: float | None = None
    rate: float | None = None
    parallel: int = 1

    def __post_init__(self) -> None:
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems))

    def _problems(self) -> Iterator[str]:
        if self.message is not None and (reason := why_refused(self.message)):
            yield f"message {reason}"
        if self.count is not None and self.count < 1:
            yield f"count is {self.count}: 1 or more messages"
        if self.interval is not None and not 0 <= self.interval < math.inf:
            yield f"interval is {self.interval:g}: 0 or more seconds"
        if self.rate is not None and not 0 < self.rate < math.inf:
            yield f"rate is {self.rate:g}: more than 0 messages a second"
        if not 1 <= self.parallel <= MAX_PARALLEL:
            yield f"parallel is {self.parallel}: 1 to {MAX_PARALLEL} workers"
        if self.interval is not None and self.rate is not None:
            yield "interval and rate both say how fast to send: give one of them"

    def bodies(self) -> Iterator[str]:
        """Make the body of every message, in order."""
        bodies = random_bodies() if self.message is None else itertools.repeat(self.message)
        return itertools.islice(bodies, self.count)

    @property
    def one_by_one(self) -> bool:
        """Whether messages go one by one, as in the chapter."""
        return bool(self.interval)

    @property
    def batch_size(self) -> int:
        """The most messages in a batch: no more than one message an interval, or one second's worth of the rate."""
        if self.one_by_one:
            return 1
        return MAX_ENTRIES if self.rate is None else max(1, min(MAX_ENTRIES, int(self.rate)))

    @property
    def seconds_per_message(self) -> float:
        """The time that each message has, over all workers."""
        return 1 / self.rate if self.rate else self.interval or 0.0
