"""What can be put on a bus: events as a person or ``lab events tail`` writes them, checked before any is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What PutEvents takes in one call: this many entries, and fewer bytes than this of all of them together.
#: Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
MOST_ENTRIES = 10
MOST_BYTES = 1_048_576
# What an event that arrived has; whoever puts one gives four of them.
_FIELDS = {
    "account", "detail", "detail-type", "id", "region", "replay-name", "resources", "source", "time", "version",
}  # fmt: skip
_ASKS = {"source": "who sends the event, such as shop.orders", "detail-type": "what happened, such as OrderPlaced"}

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


def entry(event: Any, where: str) -> Entry:
    """Make an entry of an event as rules and ``lab events tail --json`` write it.

    :param where: where it comes from, for whoever has to mend it.
    :raises UsageError: saying what EventBridge would not take.
    """
    if not isinstance(event, dict):
        raise UsageError(f'{where}: an event is a JSON object, such as {{"source": "shop.orders", ...}}.')
    unknown = sorted(set(event) - _FIELDS)
    if unknown:
        raise UsageError(f"{where}: an event has no field {unknown[0]}. It may have {', '.join(sorted(_FIELDS))}.")
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
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_once)
    except ValueError as error:
        raise UsageError(f"{where} is not JSON: {error}. It begins {text.strip()[:40]!r}.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is a number in Python alone")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"{twice[0]} is there twice")
    return dict(pairs)
