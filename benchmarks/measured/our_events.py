"""Puts events as ``lab events put`` does, receives them as ``lab events tail`` does, and prints how many a second.

``our_events.py EVENTS``: from a bus of its own, by a rule, to a queue. The clock starts when both are there, and stops
when the last event has come out of the queue.
"""

from __future__ import annotations

import sys
import time
import uuid

import boto3

from lab.events import buses
from lab.events.entries import Entry


def main(events: int) -> float:
    session, bus = boto3.Session(), f"measured-{uuid.uuid4()}"
    client = session.client("events")
    client.create_event_bus(Name=bus)
    try:
        with buses.tail(session, bus, {"source": ["shop.orders"]}) as receive:
            entries = [Entry("shop.orders", "OrderPlaced", f'{{"id": "{number}"}}') for number in range(events)]
            received: set[str] = set()
            started = time.perf_counter()
            buses.put(session, bus, entries, lambda _: None)
            while len(received) < events:
                received.update(event["detail"]["id"] for event in receive())
            return events / (time.perf_counter() - started)
    finally:
        client.delete_event_bus(Name=bus)


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
