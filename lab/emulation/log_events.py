"""Amazon CloudWatch Logs: FilterLogEvents gives what it finds in pages, as AWS does.

MiniStack gives the oldest 10,000 events, and no token to go on with: what was logged last could not be read.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch_logs

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.core.responses.error_response_json(code, message, status, extra, message_key, content_type)",
    "ministack.services.cloudwatch_logs._filter_log_events(data)",
]
_PAGE = 10_000

Response = tuple[int, dict[str, str], Any]


def extend() -> None:
    """Give a token with each page but the last."""
    cloudwatch_logs._filter_log_events = _in_pages(cloudwatch_logs._filter_log_events)


def _in_pages(find: Callable[[dict[str, Any]], Response]) -> Callable[[dict[str, Any]], Response]:
    def filter_log_events(data: dict[str, Any]) -> Response:
        since, first = {}, 0
        if "nextToken" in data:
            token = re.fullmatch(r"(\d+)/(\d+)", data["nextToken"])
            if token is None:
                refused: Response = error_response_json(
                    "InvalidParameterException", "The specified nextToken is invalid."
                )
                return refused
            since, first = {"startTime": int(token[1])}, int(token[2])
        end = first + min(data.get("limit", _PAGE), _PAGE)
        # One more than are wanted, to know whether there is another page.
        status, headers, body = find({**data, **since, "limit": min(end + 1, _PAGE)})
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        found = answer["events"]
        answer["events"] = page = found[first:end]
        # A token says where a page ended: the time of its last event, and how many of that time were read.
        if page and (len(found) > end or len(found) == _PAGE):
            last = page[-1]["timestamp"]
            answer["nextToken"] = f"{last}/{sum(event['timestamp'] == last for event in found[:end])}"
        return status, headers, json.dumps(answer).encode()

    return filter_log_events
