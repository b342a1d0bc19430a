"""What the options of a GraphQL API may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from aws_cdk import Duration

from lambda_src.posture import Posture

if TYPE_CHECKING:
    from lambda_src.options import Options


class CacheSize(Enum):
    """How large the machine is that an API's cache runs on; AWS's price is by the hour."""

    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"
    XLARGE = "XLARGE"
    LARGE_2X = "LARGE_2X"
    LARGE_4X = "LARGE_4X"
    LARGE_8X = "LARGE_8X"
    LARGE_12X = "LARGE_12X"


@dataclass(frozen=True)
class Cache:
    """A cache of an API's answers: for resolvers that ask for it with ``cached_for=``, encrypted.

    :param size: of its machine.
    :param time_to_live: longest that an answer is kept, 1 to 3,600 s.
    """

    size: CacheSize = CacheSize.SMALL
    time_to_live: Duration = field(default_factory=lambda: Duration.minutes(5))


def check_access(options: Options, *, api_name: str, api_key_expires: Duration | None, posture: Posture) -> None:
    """Note a name that AppSync does not take, and a key where there must be none."""
    options.require(1 <= len(api_name) <= 65_536, "api_name", api_name, "1 to 65,536 characters")
    if api_key_expires is not None:
        days = api_key_expires.to_days(integral=False)
        options.require(1 <= days <= 365, "api_key_expires", f"{days:g} days", "1 to 365 days")
        options.require(
            posture is Posture.LAB,
            "api_key_expires",
            f"given in the posture {posture.value}",
            "whoever has an API key is anybody: give a user_pool, or grant queries to roles",
        )


def check_limits(options: Options, *, depth: int | None, resolvers: int | None, cache: Cache | None) -> None:
    """Note limits that AppSync does not have."""
    options.require(depth is None or 1 <= depth <= 75, "query_depth_limit", depth, "1 to 75 levels")
    options.require(
        resolvers is None or 1 <= resolvers <= 10_000, "resolver_count_limit", resolvers, "1 to 10,000 resolvers"
    )
    if cache:
        seconds = cache.time_to_live.to_seconds()
        options.require(1 <= seconds <= 3600, "cache", f"for {seconds:,} s", "1 to 3,600 s")
