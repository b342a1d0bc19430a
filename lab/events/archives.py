"""An archive: send what it holds of a length of time to its bus once more."""

from __future__ import annotations

import re
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

_AGO = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_OVER = {"COMPLETED", "FAILED", "CANCELLED"}


def moment(text: str, option: str, *, now: datetime) -> datetime:
    """Read a time, or how long ago one was.

    :raises UsageError: when it is neither.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        time_read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {text}: write how long ago, such as 10m, 2h or 1d, or a time, such as 2026-05-01T09:30 (UTC)."
        ) from None
    return time_read if time_read.tzinfo else time_read.replace(tzinfo=timezone.utc)


def span(start: str, end: str, *, now: datetime) -> tuple[datetime, datetime]:
    """Read the two ends of a length of time.

    :raises UsageError: when one of them is no time, or nothing is between them.
    """
    first, last = moment(start, "--from", now=now), moment(end, "--to", now=now)
    if first >= last:
        raise UsageError(f"--from must be earlier than --to: it is {written(first)}, and --to is {written(last)}.")
    return first, last


@dataclass(frozen=True)
class Replay:
    """Archived events on their way to their bus once more."""

    name: str
    bus: str
    state: str


def replay(
    session: boto3.Session, archive: str, start: datetime, end: datetime, progress: Callable[[str], None]
) -> Replay:
    """Send what an archive holds of a length of time to the archive's own bus once more, and wait until it is done.

    An interruption cancels it.

    :param progress: told again and again how far it is.
    :raises UsageError: when there is no such archive.
    :raises LabError: when EventBridge could not finish it.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
    """
    client, name = session.client("events"), f"lab-{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
    try:
        kept = client.describe_archive(ArchiveName=archive)
    except client.exceptions.ResourceNotFoundException:
        named = ", ".join(sorted(one["ArchiveName"] for one in client.list_archives()["Archives"])) or "none"
        raise UsageError(f"There is no archive {archive}. The archives are: {named}.") from None
    bus = kept["EventSourceArn"]
    client.start_replay(
        ReplayName=name,
        EventSourceArn=kept["ArchiveArn"],
        EventStartTime=start,
        EventEndTime=end,
        Destination={"Arn": bus},
    )
    try:
        over = _wait_for(client, name, progress)
    except BaseException:
        with suppress(ClientError):  # it may be over by now
            client.cancel_replay(ReplayName=name)
        raise
    if over["State"] != "COMPLETED":
        reason = over.get("StateReason", "EventBridge gives no reason")
        raise LabError(f"The replay {name} is {over['State']}: {reason}")
    return Replay(name, bus.rpartition("/")[2], over["State"])


def _wait_for(client: Any, name: str, progress: Callable[[str], None]) -> dict[str, Any]:
    while True:
        now: dict[str, Any] = client.describe_replay(ReplayName=name)
        if now["State"] in _OVER:
            return now
        last = now.get("EventLastReplayedTime")
        progress(f"{now['State']}{f', at {written(last)}' if last else ''}")
        time.sleep(0.5)


def written(when: datetime) -> str:
    """Write a time as people and programs read it."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
