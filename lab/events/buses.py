"""A bus: put entries on it, and watch what arrives there."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.events.entries import MOST_BYTES, MOST_ENTRIES
from lab.events.inbox import temporary_queue
from lab.events.patterns import accepted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import boto3

    from lab.events.entries import Entry, Event

_EVERYTHING = {"source": [{"prefix": ""}]}


@dataclass
class Sent:
    """What became of the entries that were put: the ids of those that are on the bus, and why the others are not."""

    event_ids: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


def require_bus(session: boto3.Session, bus: str) -> None:
    """Make sure that the bus exists: EventBridge would take events for one that does not, and drop them."""
    client = session.client("events")
    try:
        client.describe_event_bus(Name=bus)
    except client.exceptions.ResourceNotFoundException:
        named = ", ".join(sorted(bus["Name"] for bus in client.list_event_buses()["EventBuses"]))
        raise UsageError(f"There is no event bus {bus}. The buses are: {named}.") from None


def put(session: boto3.Session, bus: str, to_send: Iterable[Entry], progress: Callable[[Sent], None]) -> Sent:
    """Put entries on a bus, in their order; one that EventBridge does not take keeps no other back.

    :param progress: told after each call what was sent so far.
    """
    client, sent = session.client("events"), Sent()
    for call in calls(to_send):
        for answer in client.put_events(Entries=[one.on(bus) for one in call])["Entries"]:
            if "EventId" in answer:
                sent.event_ids.append(answer["EventId"])
            else:
                sent.failures[f"{answer.get('ErrorCode')}: {answer.get('ErrorMessage')}"] += 1
        progress(sent)
    return sent


def calls(to_send: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Put as many entries into each call as PutEvents takes."""
    call: list[Entry] = []
    for one in to_send:
        if len(call) == MOST_ENTRIES or sum(other.size for other in call) + one.size >= MOST_BYTES:
            yield call
            call = []
        call.append(one)
    if call:
        yield call


@contextmanager
def tail(session: boto3.Session, bus: str, pattern: Event | None = None) -> Iterator[Callable[[], list[Event]]]:
    """Watch a bus: give a function that waits a second for the next events and returns them.

    A rule brings them to a queue; both have a name of their own, and are removed at the end.

    :raises UsageError: for a pattern that EventBridge does not take.
    """
    events, name = session.client("events"), f"lab-tail-{uuid.uuid4()}"
    with ExitStack() as undo:
        with accepted(events):
            rule = events.put_rule(
                Name=name,
                EventBusName=bus,
                EventPattern=json.dumps(_EVERYTHING if pattern is None else pattern),
                Description="Temporary: `lab events tail` removes it when it ends.",
            )["RuleArn"]
        undo.callback(events.delete_rule, Name=name, EventBusName=bus)
        inbox = undo.enter_context(temporary_queue(session, name, "events.amazonaws.com", rule))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "tail", "Arn": inbox.arn}])
        undo.callback(events.remove_targets, Rule=name, EventBusName=bus, Ids=["tail"])
        yield lambda: sorted(inbox.receive(), key=lambda event: str(event["time"]))
