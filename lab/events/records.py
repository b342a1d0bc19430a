"""What the section's recorder was delivered: the items of its table, one for each event and rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.runbook import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lab.deployment import Deployment
    from lab.events.entries import Event

#: What the ids of a runbook's own orders begin with.
MARK = "runbook-"


class Records:
    """The table of the recorder."""

    def __init__(self, deployed: Deployment) -> None:
        self._dynamodb, self.table = deployed.client("dynamodb"), deployed.output("TableName")

    def wait_for(self, event_ids: Iterable[str], rule: str) -> dict[str, Event]:
        """Wait until the events are recorded for ``rule``; return those that are, by their ids."""
        expected, found = set(event_ids), dict[str, "Event"]()

        def all_are() -> bool:
            for event_id in expected - set(found):
                for item in self._items(event_id):
                    if item["Rule"]["S"] == rule:
                        found[event_id] = json.loads(item["Event"]["S"])
            return set(found) == expected

        wait_for(all_are, seconds=60)
        return found

    def among(self, event_ids: Iterable[str]) -> list[str]:
        """Name those of the events that are recorded, for whatever rule."""
        return [event_id for event_id in event_ids if self._items(event_id)]

    def forget(self, event_ids: Iterable[str]) -> None:
        """Remove what is recorded of the events."""
        for event_id in event_ids:
            for item in self._items(event_id):
                key = {"EventId": item["EventId"], "Rule": item["Rule"]}
                self._dynamodb.delete_item(TableName=self.table, Key=key)

    def sweep(self) -> None:
        """Remove what a slow endpoint recorded when it was called once more, after a check had removed it."""
        marked = self._scan(
            FilterExpression="contains(Event, :mark)", ExpressionAttributeValues={":mark": {"S": f'"{MARK}'}}
        )
        self.forget({item["EventId"]["S"] for item in marked})

    def last_time(self, rule: str, since: datetime) -> str | None:
        """Say when ``rule`` was last delivered anything, if it was since then."""
        values = {":rule": {"S": rule}, ":since": {"S": since.strftime("%Y-%m-%dT%H:%M:%S")}}
        items = self._scan(
            FilterExpression="#rule = :rule AND #time >= :since",
            ExpressionAttributeNames={"#rule": "Rule", "#time": "Time"},
            ExpressionAttributeValues=values,
        )
        return max((str(item["Time"]["S"]) for item in items), default=None)

    def newest(self, count: int) -> list[dict[str, Any]]:
        """Return the newest items."""
        return sorted(self._scan(), key=lambda item: str(item["Time"]["S"]), reverse=True)[:count]

    def _items(self, event_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="EventId = :id",
            ExpressionAttributeValues={":id": {"S": event_id}},
            ConsistentRead=True,
        )["Items"]
        return found

    def _scan(self, **words: Any) -> list[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.table, **words)
        return [item for page in pages for item in page["Items"]]
