"""Whether a topic is told of the events that a rule is for, and of no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.events import buses
from lab.events.entries import entry
from lab.events.inbox import subscribed
from lab.runbook import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.deployment import Deployment

_SECONDS = 120


def told(deployed: Deployment, events: Sequence[dict[str, Any]], *, others: Sequence[dict[str, Any]]) -> str:
    """Put ``events`` and ``others`` on the default bus, and see which of them reach the section's topic.

    :raises AssertionError: when one of ``events`` does not, or one of ``others`` does.
    """
    session = deployed.target.session
    with subscribed(session, deployed.output("TopicArn")) as inbox:
        entries = [entry(event, "the runbook") for event in [*events, *others]]
        sent = buses.put(session, "default", entries, lambda _: None)
        assert not sent.failures, f"EventBridge did not take all of them: {dict(sent.failures)}"
        expected, refused = set(sent.event_ids[: len(events)]), set(sent.event_ids[len(events) :])
        came: set[str] = set()

        def all_came() -> bool:
            came.update(event["id"] for event in inbox.receive())
            return expected <= came

        wait_for(all_came, seconds=_SECONDS)
        came.update(event["id"] for event in inbox.receive())
    assert expected <= came, f"{len(expected - came)} of {len(expected)} did not come"
    assert not refused & came, f"{len(refused & came)} came that are none of its business"
    return f"{len(expected)} of {len(expected)}, and none of {len(refused)} others"
