"""`lab events`: events are put, watched, replayed and matched by hand, and nothing of it is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from lab.runbook import wait_for

from .conftest import LAB, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import boto3

    from .conftest import Lab

START = """
from lab import emulator, project
from lab.views.terminal import Steps
project.require_checkout()
emulator.start(Steps(None))
"""


@pytest.fixture(scope="module", autouse=True)
def emulator(lab: Lab, lab_home: Path) -> None:  # noqa: ARG001 - `lab` ends it
    environ = {**os.environ, "SERVERLESS_LAB_HOME": str(lab_home)}
    subprocess.run([sys.executable, "-c", START], env=environ, check=True)


@pytest.fixture
def bus(session: boto3.Session) -> Iterator[str]:
    events, name = session.client("events"), f"by-hand-{uuid.uuid4()}"
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    events.create_archive(ArchiveName=name[:48], EventSourceArn=arn)
    yield name
    events.delete_archive(ArchiveName=name[:48])
    events.delete_event_bus(Name=name)


class Tail:
    """`lab events tail`, while it runs."""

    def __init__(self, lab_home: Path, bus: str, *words: str) -> None:
        self.process = subprocess.Popen(
            [LAB, "events", "tail", "--json", "--bus", bus, *words],
            env={**os.environ, "SERVERLESS_LAB_HOME": str(lab_home)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        assert "Watching" in self.process.stderr.readline()

    def end(self, signal_number: signal.Signals | None = None) -> list[dict[str, Any]]:
        if signal_number:
            self.process.send_signal(signal_number)
        printed, said = self.process.communicate(timeout=60)
        assert "Traceback" not in said
        return [json.loads(line) for line in printed.splitlines()]


def put(lab: Lab, bus: str, *words: str) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(
        lab("events", "put", "--bus", bus, "--source", "shop", "--detail-type", "Sold", "--json", *words).stdout
    )
    return sent


def temporary(session: boto3.Session, bus: str) -> list[str]:
    rules = session.client("events").list_rules(EventBusName=bus)["Rules"]
    queues = session.client("sqs").list_queues(QueueNamePrefix="lab-tail-").get("QueueUrls", [])
    return [*(rule["Name"] for rule in rules), *queues]


def test_what_is_put_is_printed_by_tail_and_nothing_is_left(
    lab: Lab, lab_home: Path, session: boto3.Session, bus: str
) -> None:
    tail = Tail(lab_home, bus, "--count", "1")
    sent = put(lab, bus, "--detail", '{"total": 150}')
    [event] = tail.end()
    assert [event["id"]] == sent["eventIds"]
    assert (event["source"], event["detail-type"], event["detail"]) == ("shop", "Sold", {"total": 150})
    assert tail.process.returncode == 0
    assert temporary(session, bus) == []


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_tail_leaves_nothing_either(
    lab: Lab, lab_home: Path, session: boto3.Session, bus: str, signal_number: signal.Signals
) -> None:
    tail = Tail(lab_home, bus, "--pattern", '{"detail": {"total": [{"numeric": [">", 100]}]}}')
    assert len(temporary(session, bus)) == 2
    put(lab, bus, "--detail", '{"total": 99}')
    put(lab, bus, "--detail", '{"total": 101}')
    queue = temporary(session, bus)[1]

    def taken() -> bool:
        attributes = session.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        return attributes["ApproximateNumberOfMessages"] == attributes["ApproximateNumberOfMessagesNotVisible"] == "0"

    assert wait_for(taken, seconds=20)
    assert [event["detail"] for event in tail.end(signal_number)] == [{"total": 101}]
    assert tail.process.returncode == 128 + signal_number
    assert temporary(session, bus) == []


def test_a_file_of_many_events_arrives_whole(lab: Lab, lab_home: Path, bus: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps({"detail": {"n": number}}) for number in range(25)))
    tail = Tail(lab_home, bus, "--count", "25")
    assert put(lab, bus, "--file", str(file))["sent"] == 25
    assert {event["detail"]["n"] for event in tail.end()} == set(range(25))


def test_what_tail_printed_can_be_put_again(lab: Lab, lab_home: Path, bus: str, tmp_path: Path) -> None:
    tail = Tail(lab_home, bus, "--count", "1")
    put(lab, bus, "--detail", '{"n": 1}')
    file = tmp_path / "again.jsonl"
    file.write_text("\n".join(json.dumps(event) for event in tail.end()))
    assert json.loads(lab("events", "put", "--bus", bus, "--file", str(file), "--json").stdout)["sent"] == 1


def test_an_archive_is_replayed_to_its_bus(lab: Lab, lab_home: Path, bus: str) -> None:
    sent = put(lab, bus, "--detail", '{"n": 1}')
    tail = Tail(lab_home, bus, "--count", "1")
    done = json.loads(lab("events", "replay", "--archive", bus[:48], "--from", "10m", "--json").stdout)
    [event] = tail.end()
    assert [event["id"]] == sent["eventIds"]
    assert event["replay-name"] == done["replay"]
    assert (done["state"], done["bus"]) == ("COMPLETED", bus)


def test_what_is_outside_the_time_is_not_replayed(lab: Lab, lab_home: Path, bus: str) -> None:
    put(lab, bus, "--detail", '{"n": 1}')
    tail = Tail(lab_home, bus)
    lab("events", "replay", "--archive", bus[:48], "--from", "1h", "--to", "10m")
    time.sleep(2)
    assert tail.end(signal.SIGINT) == []


@pytest.mark.parametrize(("total", "status"), [("150", 0), ("99", 1), ('"150"', 1)])
def test_a_pattern_is_tried(lab: Lab, total: str, status: int) -> None:
    pattern = '{"source": ["shop"], "detail": {"total": [{"numeric": [">=", 100]}]}}'
    event = f'{{"source": "shop", "detail": {{"total": {total}}}}}'
    said = lab("events", "test-pattern", "--pattern", pattern, "--event", event, status=status).stdout
    assert said == ("matches\n" if status == 0 else "does not match\n")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["put", "--bus", "nowhere", "--source", "a", "--detail-type", "b"], 2, "There is no event bus nowhere"),
        (["put", "--source", "a", "--detail-type", "b"], 1, "eventbridge is not deployed"),
        (["put", "--source", "a"], 2, "detail-type is missing"),
        (["put", "--source", "a", "--detail-type", "b", "--detail", "{"], 2, "--detail is not JSON"),
        (["put", "--source", "aws.ec2", "--detail-type", "b"], 2, "by-hand.aws.ec2"),
        (["put", "--detail", "@nowhere.json"], 2, "cannot be read"),
        (["put", "--file", os.devnull], 2, "holds no event"),
        (["tail", "--bus", "default", "--pattern", '{"source": []}'], 2, "does not take the pattern"),
        (["replay", "--archive", "nothing"], 2, "There is no archive nothing"),
        (["replay", "--from", "1m", "--to", "1h"], 2, "--from must be earlier than --to"),
        (["replay", "--from", "noon"], 2, "such as 10m, 2h or 1d"),
        (["test-pattern", "--pattern", '{"a": "b"}', "--event", "{}"], 2, "does not take the pattern"),
        (["test-pattern", "--pattern", "-", "--event", "-"], 2, "can be read for one of them"),
    ],
)
def test_a_wrong_question_gets_one_sentence(lab: Lab, words: list[str], status: int, said: str) -> None:
    refused = lab("events", *words, status=status)
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""
