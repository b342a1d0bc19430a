"""Events by hand: put them on a bus, watch what arrives, replay an archive, try a pattern. The same here and on AWS."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import boto3

#: What PutEvents takes in one call: this many entries, and fewer bytes than this of all of them together.
#: Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
MOST_ENTRIES = 10
MOST_BYTES = 1_048_576
_EVERYTHING = {"source": [{"prefix": ""}]}
_AGO = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_OVER = {"COMPLETED", "FAILED", "CANCELLED"}

Event = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """An event that is not on a bus yet.

    :param detail: the text of a JSON object.
    """

    source: str
    detail_type: str
    detail: str
    resources: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes EventBridge counts for it."""
        return sum(len(text.encode()) for text in (self.source, self.detail_type, self.detail, *self.resources))

    def on(self, bus: str) -> dict[str, Any]:
        """Write it as PutEvents takes it."""
        return {
            "EventBusName": bus,
            "Source": self.source,
            "DetailType": self.detail_type,
            "Detail": self.detail,
            "Resources": list(self.resources),
        }


@dataclass
class Sent:
    """What became of the entries that were put: the ids of those that are on the bus, and why the others are not."""

    event_ids: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


def entry(event: Any, where: str) -> Entry:
    """Make an entry of an event as rules and ``lab events tail --json`` write it.

    :param where: where it comes from, for whoever has to mend it.
    :raises UsageError: saying what EventBridge would not take.
    """
    if not isinstance(event, dict):
        raise UsageError(f'{where}: an event is a JSON object, such as {{"source": "shop.orders", ...}}.')
    source, detail_type = event.get("source"), event.get("detail-type")
    for name, value in (("source", source), ("detail-type", detail_type)):
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"{where}: {name} is missing. It says {_ASKS[name]}.")
    if str(source).startswith("aws."):
        raise UsageError(
            f"{where}: source is {source}, and those that begin with aws. are for AWS alone: `by-hand.{source}` "
            "reaches the rules of the section eventbridge too."
        )
    if not isinstance(event.get("detail"), dict):
        raise UsageError(f'{where}: detail must be a JSON object, such as {{"total": 150}}.')
    resources = event.get("resources", [])
    if not isinstance(resources, list) or not all(isinstance(resource, str) for resource in resources):
        raise UsageError(f"{where}: resources must be a list of texts, ARNs as a rule.")
    made = Entry(str(source), str(detail_type), json.dumps(event["detail"]), tuple(resources))
    if made.size >= MOST_BYTES:
        raise UsageError(
            f"{where}: the event has {made.size:,} bytes, and EventBridge takes fewer than {MOST_BYTES:,}: keep the "
            "large part in Amazon S3, and send where it is."
        )
    return made


_ASKS = {"source": "who sends the event, such as shop.orders", "detail-type": "what happened, such as OrderPlaced"}


def entries(lines: Iterable[str], where: str, defaults: Event) -> list[Entry]:
    """Make the entries of a file with a JSON object a line.

    :param defaults: stands in for what a line does not say.
    """
    return [
        entry(_with_defaults(parsed(line, f"{where}, line {number}"), defaults), f"{where}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


def _with_defaults(event: Any, defaults: Event) -> Any:
    return {**defaults, **event} if isinstance(event, dict) else event


def parsed(text: str, where: str) -> Any:
    """Read JSON that a person wrote.

    :raises UsageError: pointing at the mistake.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where} is not JSON: {error}. It begins {text.strip()[:40]!r}.") from None


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
        rule = _put_rule(events, name, bus, _EVERYTHING if pattern is None else pattern)
        undo.callback(events.delete_rule, Name=name, EventBusName=bus)
        inbox = undo.enter_context(temporary_queue(session, name, "events.amazonaws.com", rule))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "tail", "Arn": inbox.arn}])
        undo.callback(events.remove_targets, Rule=name, EventBusName=bus, Ids=["tail"])
        yield lambda: sorted(inbox.receive(), key=lambda event: str(event["time"]))


@dataclass(frozen=True)
class Inbox:
    """A queue whose messages are JSON."""

    sqs: Any
    url: str
    arn: str

    def receive(self) -> list[Any]:
        """Wait a second for the next messages, take them out of the queue, and return what they say."""
        messages = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        taken = messages.get("Messages", [])
        if taken:
            receipts = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(taken)]
            self.sqs.delete_message_batch(QueueUrl=self.url, Entries=receipts)
        return [json.loads(one["Body"]) for one in taken]


@contextmanager
def temporary_queue(session: boto3.Session, name: str, service: str, source_arn: str) -> Iterator[Inbox]:
    """Make a queue that one resource of one service may send to, and delete it at the end."""
    sqs = session.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes={"SqsManagedSseEnabled": "true"})["QueueUrl"]
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        yield Inbox(sqs, url, arn)
    finally:
        sqs.delete_queue(QueueUrl=url)


def _put_rule(client: Any, name: str, bus: str, pattern: Event) -> str:
    try:
        return str(
            client.put_rule(
                Name=name,
                EventBusName=bus,
                EventPattern=json.dumps(pattern),
                Description="Temporary: `lab events tail` removes it when it ends.",
            )["RuleArn"]
        )
    except client.exceptions.InvalidEventPatternException as error:
        raise UsageError(f"EventBridge does not take the pattern: {_reason(error)}") from None


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
        raise UsageError(f"There is nothing between {_written(first)} and {_written(last)}: --from is before --to.")
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
        state = _wait_for(client, name, progress)
    except BaseException:
        client.cancel_replay(ReplayName=name)
        raise
    return Replay(name, bus.rpartition("/")[2], state)


def _wait_for(client: Any, name: str, progress: Callable[[str], None]) -> str:
    while True:
        now = client.describe_replay(ReplayName=name)
        if now["State"] in _OVER:
            break
        last = now.get("EventLastReplayedTime")
        progress(f"{now['State']}{f', at {_written(last)}' if last else ''}")
        time.sleep(0.5)
    if now["State"] != "COMPLETED":
        raise LabError(f"The replay {name} is {now['State']}: {now.get('StateReason', 'EventBridge gives no reason')}")
    return str(now["State"])


def matches(session: boto3.Session, pattern: Any, event: Any) -> bool:
    """Ask EventBridge whether a pattern matches an event; what every event has, it need not say.

    :raises UsageError: when it takes one of the two for none.
    """
    for name, value in (("pattern", pattern), ("event", event)):
        if not isinstance(value, dict):
            raise UsageError(f"--{name} must be a JSON object.")
    client = session.client("events")
    whole = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "account": "000000000000",
        "time": _written(datetime.now(timezone.utc)),
        "region": session.region_name,
        "resources": [],
        "source": "",
        "detail-type": "",
        "detail": {},
        **event,
    }
    try:
        return bool(client.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(whole))["Result"])
    except client.exceptions.InvalidEventPatternException as error:
        raise UsageError(f"EventBridge does not take the pattern: {_reason(error)}") from None


def _written(when: datetime) -> str:
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reason(error: Any) -> str:
    return str(error.response["Error"]["Message"])
