"""The emulator gives log events in pages, to the newest one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Emulated

GROUP = "/tests/pages"
MANY = 10_500


@pytest.fixture(scope="module")
def logs(emulated: Emulated) -> Iterator[Any]:
    """Log in two streams, several events a millisecond; each says its number."""
    client = emulated.client("logs")
    client.create_log_group(logGroupName=GROUP)
    begin = int(time.time() * 1000) - MANY
    for stream in range(2):
        client.create_log_stream(logGroupName=GROUP, logStreamName=str(stream))
        events = [{"timestamp": begin + number // 10, "message": f"{number}"} for number in range(stream, MANY, 2)]
        client.put_log_events(logGroupName=GROUP, logStreamName=str(stream), logEvents=events)
    yield client
    client.delete_log_group(logGroupName=GROUP)


@pytest.mark.parametrize("size", [None, 700, 4_000])
def test_every_event_is_in_one_page(logs: Any, size: int | None) -> None:
    pages = list(
        logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, PaginationConfig={"PageSize": size})
    )
    read = [event for page in pages for event in page["events"]]
    assert sorted(int(event["message"]) for event in read) == list(range(MANY))
    assert [event["timestamp"] for event in read] == sorted(event["timestamp"] for event in read)
    assert len(pages) == -(-MANY // (size or 10_000))


def test_a_pattern_is_kept_from_page_to_page(logs: Any) -> None:
    found = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, filterPattern="99", PaginationConfig={"PageSize": 70}
    )
    read = [int(event["message"]) for page in found for event in page["events"]]
    assert sorted(read) == [number for number in range(MANY) if "99" in str(number)]


def test_a_token_of_nobodys_is_refused(logs: Any) -> None:
    with pytest.raises(ClientError, match="The specified nextToken is invalid"):
        logs.filter_log_events(logGroupName=GROUP, nextToken="abc")
