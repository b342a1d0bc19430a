"""Log events are read once each, in the order of their time, late ones too."""

from __future__ import annotations

from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest

from lab import log_events
from lab.errors import UsageError


def deployed(*readings: list[dict[str, Any]]) -> Any:
    """Make a deployment of one function whose log group answers so, one reading after the other."""
    remaining = list(readings)
    paginator = SimpleNamespace(paginate=lambda **_: [{"events": remaining.pop(0)}])
    client = SimpleNamespace(
        get_paginator=lambda _: paginator,
        get_function_configuration=lambda FunctionName: {"LoggingConfig": {"LogGroup": f"of-{FunctionName}"}},  # noqa: N803
    )
    names = {"AWS::Lambda::Function": ["function"]}
    return SimpleNamespace(client=lambda _: client, physical_ids=lambda kind: names.get(kind, []))


def event(number: int, text: str) -> dict[str, Any]:
    return {"eventId": str(number), "timestamp": number * 1000, "message": text + "\n"}


def test_events_come_in_the_order_of_their_time() -> None:
    read = log_events.read(deployed([event(2, "second"), event(1, "first")]), seconds=60, follow=False)
    assert [one.message for one in read] == ["first", "second"]


def test_following_skips_what_was_read_and_takes_what_came_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.log_events.time.sleep", lambda _: None)
    section = deployed([event(2, "two")], [event(1, "late"), event(2, "two")], [event(2, "two"), event(3, "three")])
    read = islice(log_events.read(section, seconds=60, follow=True), 3)
    assert [one.message for one in read] == ["two", "late", "three"]


def test_the_log_groups_of_containers_are_read_once_each_after_those_of_functions() -> None:
    to_cloudwatch = {"logDriver": "awslogs", "options": {"awslogs-group": "of-containers"}}
    containers = [{"logConfiguration": to_cloudwatch}, {"logConfiguration": {"logDriver": "json-file"}}, {}]
    asked: list[str] = []

    def paginate(logGroupName: str, **_: object) -> list[dict[str, Any]]:  # noqa: N803
        asked.append(logGroupName)
        return [{"events": []}]

    clients = {
        "lambda": SimpleNamespace(
            get_function_configuration=lambda **_: {"LoggingConfig": {"LogGroup": "of-function"}}
        ),
        "ecs": SimpleNamespace(
            describe_task_definition=lambda **_: {"taskDefinition": {"containerDefinitions": containers}}
        ),
        "logs": SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate)),
    }
    names = {"AWS::Lambda::Function": ["function"], "AWS::ECS::TaskDefinition": ["web:1", "web:2"]}
    section: Any = SimpleNamespace(client=clients.__getitem__, physical_ids=names.__getitem__)

    assert list(log_events.read(section, seconds=60, follow=False)) == []
    assert asked == ["of-function", "of-containers"]


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400)])
def test_a_length_of_time_is_read(text: str, seconds: int) -> None:
    assert log_events.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "1 m", "1w"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="such as 30s or 2h"):
        log_events.seconds_of(text)
