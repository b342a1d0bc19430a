"""`lab traces` on the X-Ray of this machine: segments that were sent are listed, filtered, drawn and counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import boto3

    from tests.e2e.conftest import Lab

START = "from lab import emulator; from lab.views.terminal import Steps; emulator.start(Steps(None))"
URL = "https://bookshop.example.com/prod/orders"
QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/Bookshop"


@cache
def began() -> int:
    return int(time.time()) - 30


def trace_id(number: int) -> str:
    return f"1-{began() + number:08x}-{number:024x}"


def part(number: int, name: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"id": f"{number:016x}", "name": name, "start_time": began() + start, "end_time": began() + end, **more}


def order(number: int, status: int, **flags: bool) -> list[dict[str, Any]]:
    """Make what an order leaves behind: the API's stage, the function, and its call to a queue."""
    first, trace = 16 * number, {"trace_id": trace_id(number)}
    http = {"request": {"method": "POST", "url": URL}, "response": {"status": status}}
    aws = {"operation": "SendMessage", "queue_url": QUEUE}
    call = part(first + 2, "SQS", number + 0.1, number + 0.2, namespace="aws", aws=aws)
    raised = {"exceptions": [{"id": "a" * 16, "type": "ValueError", "message": "no such order"}]}
    cause = {"cause": raised} if flags.get("fault") else {}
    stage = {"origin": "AWS::ApiGateway::Stage", "http": http, **flags}
    function = {
        "origin": "AWS::Lambda::Function",
        "parent_id": f"{first:016x}",
        "annotations": {"order": number},
        **flags,
    }
    return [
        {**trace, **part(first, "bookshop/prod", number, number + 0.4, **stage)},
        {
            **trace,
            **part(first + 1, "BookshopFront", number + 0.05, number + 0.3, **function, **cause, subsegments=[call]),
        },
    ]


def consumer(number: int, of: int) -> dict[str, Any]:
    link = {"trace_id": trace_id(of), "id": f"{16 * of + 2:016x}"}
    running = part(16 * number, "BookshopStore", number, number, origin="AWS::Lambda::Function", links=[link])
    del running["end_time"]
    return {"trace_id": trace_id(number), **running, "in_progress": True}


@pytest.fixture(scope="module")
def traced(lab: Lab, lab_home: Path) -> None:  # noqa: ARG001 - which ends it
    """An emulator that runs; it needs nothing deployed."""
    environ = {**os.environ, "SERVERLESS_LAB_HOME": str(lab_home)}
    subprocess.run([sys.executable, "-c", START], env=environ, check=True)


@pytest.fixture
def orders(traced: None, session: boto3.Session) -> Any:  # noqa: ARG001
    """Four orders and what consumed one of them; sent again, they are the same."""
    xray = session.client("xray")
    documents = [
        *order(1, 200),
        *order(2, 502, fault=True),
        *order(3, 429, error=True, throttle=True),
        *order(4, 400, error=True),
        consumer(5, of=2),
    ]
    answer = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(one) for one in documents])
    assert answer["UnprocessedTraceSegments"] == []
    return xray


@pytest.fixture
def listed(lab: Lab, orders: Any) -> Callable[..., list[int]]:  # noqa: ARG001
    def numbers(*words: str) -> list[int]:
        found = json.loads(lab("traces", "list", "--json", *words).stdout)
        return [int(one["id"][11:], 16) for one in found if one["id"] in {trace_id(number) for number in range(6)}]

    return numbers


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [
        ("ok", [5, 1]),
        ("fault", [2]),
        ("throttle", [3]),
        ("error", [4, 3]),
        ("partial", [5]),
        ("http.status >= 429 AND http.status < 500", [3]),
        ("annotation[order] > 2", [4, 3]),
        ('edge("BookshopFront", id(type: "AWS::SQS::Queue"))', [4, 3, 2, 1]),
        ('service(id(name: "BookshopFront", type: "AWS::Lambda::Function")) { error }', [4, 3]),
    ],
)
def test_a_filter_expression_finds_just_what_it_asks_for(listed, expression: str, numbers: list[int]) -> None:
    assert listed("--filter", expression) == numbers


@pytest.mark.usefixtures("orders")
def test_the_newest_traces_are_listed_a_line_each(lab: Lab) -> None:
    ours = f'http.url = "{URL}" OR service("BookshopStore")'
    newest, *others = lab("traces", "list", "--limit", "3", "--filter", ours).stdout.splitlines()
    assert newest.split("\t")[0] == trace_id(5)
    assert newest.split("\t")[2:] == ["BookshopStore", "", "", "partial", "0"]
    assert [line.split("\t")[2:] for line in others] == [
        [f"POST {URL}", "400", "400 ms", "error", "1"],
        [f"POST {URL}", "429", "400 ms", "error, throttle", "1"],
    ]


def test_a_group_holds_the_traces_of_its_expression(lab: Lab, orders: Any, listed) -> None:
    orders.create_group(GroupName="client errors", FilterExpression="error")
    try:
        assert listed("--group", "client errors") == [4, 3]
        assert listed("--group", "client errors", "--filter", "throttle") == [3]
        shown = json.loads(lab("traces", "graph", "--group", "client errors", "--json").stdout)
        [stage] = [one for one in shown["services"] if (one["name"], one["root"]) == ("bookshop/prod", True)]
        assert (stage["total"], stage["errors"], stage["throttles"]) == (2, 1, 1)
    finally:
        orders.delete_group(GroupName="client errors")
    refused = lab("traces", "list", "--group", "client errors", status=2)
    assert "There is no group client errors. The groups are: " in refused.stderr


@pytest.mark.usefixtures("orders")
def test_a_trace_is_shown_with_what_it_is_linked_to(lab: Lab) -> None:
    shown = [line.split("\t") for line in lab("traces", "show", trace_id(5)[:14]).stdout.splitlines()]
    assert [(line[0], line[3], line[4], line[8], line[9]) for line in shown] == [
        (trace_id(5), "BookshopStore", "AWS::Lambda::Function", "", ""),
        (trace_id(2), "bookshop/prod", "AWS::ApiGateway::Stage", "fault", ""),
        (trace_id(2), "BookshopFront", "AWS::Lambda::Function", "fault", "ValueError: no such order"),
        (trace_id(2), "SQS SendMessage Bookshop", "AWS::SQS::Queue", "", ""),
    ]
    as_json = json.loads(lab("traces", "show", trace_id(5), "--json").stdout)
    assert as_json["trace"]["id"] == trace_id(5)
    assert [one["id"] for one in as_json["linked"]] == [trace_id(2)]


@pytest.mark.usefixtures("orders")
def test_a_trace_that_there_is_not_is_said_to_be_none(lab: Lab) -> None:
    assert "There is no trace 1-" in lab("traces", "show", trace_id(9), status=1).stderr
    assert "No trace begins with 1-0: " in lab("traces", "show", "1-0", status=1).stderr
    assert "Write more of the id" in lab("traces", "show", "1-", status=2).stderr


@pytest.mark.usefixtures("orders")
def test_the_graph_has_every_service_and_every_call(lab: Lab, tmp_path: Path) -> None:
    picture = tmp_path / "graph.svg"
    tables = lab("traces", "graph", "--svg", str(picture)).stdout.split("\n\n")
    services, calls = ([line.split("\t") for line in table.splitlines()] for table in tables)
    found = {(name, kind): figures[:5] for name, kind, *figures in services}
    assert found["bookshop/prod", "AWS::ApiGateway::Stage"] == ["4", "75.0%", "1", "1", "1"]
    assert found["BookshopFront", "AWS::Lambda::Function"] == ["4", "75.0%", "1", "1", "1"]
    assert found[QUEUE, "AWS::SQS::Queue"] == ["4", "0.0%", "0", "0", "0"]
    assert {(source, destination) for source, destination, *_ in calls} >= {
        ("bookshop/prod (client)", "bookshop/prod (ApiGateway::Stage)"),
        ("bookshop/prod (ApiGateway::Stage)", "BookshopFront (Lambda::Function)"),
        ("BookshopFront (Lambda::Function)", f"{QUEUE} (SQS::Queue)"),
        (f"{QUEUE} (SQS::Queue)", "BookshopStore (Lambda::Function)"),
    }
    assert ET.parse(picture).getroot().tag.endswith("svg")  # noqa: S314 - our own


@pytest.mark.usefixtures("orders")
def test_a_picture_that_cannot_be_written_is_a_mistake_in_the_question(lab: Lab, tmp_path: Path) -> None:
    refused = lab("traces", "graph", "--svg", str(tmp_path / "nowhere" / "graph.svg"), status=2)
    assert "No such file or directory" in refused.stderr


@pytest.mark.usefixtures("orders")
def test_where_there_are_no_traces_it_says_what_to_do(lab: Lab) -> None:
    answer = lab("traces", "list", "--filter", 'user = "nobody"')
    assert answer.stdout == ""
    assert "No such traces in the last 10m: `--since 1d`" in answer.stderr
    assert json.loads(lab("traces", "list", "--filter", 'user = "nobody"', "--json").stdout) == []
