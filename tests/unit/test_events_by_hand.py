"""Events by hand: what EventBridge would not take is refused before anything is sent, with the place of the mistake."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import LabError, UsageError
from lab.events import archives, buses, entries, inbox, patterns

GOOD = {"source": "shop.orders", "detail-type": "OrderPlaced", "detail": {"total": 150}}
NOW = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ([], "an event is a JSON object"),
        ({**GOOD, "source": None}, "source is missing"),
        ({**GOOD, "source": " "}, "source is missing"),
        ({**GOOD, "detail-type": 7}, "detail-type is missing"),
        ({**GOOD, "source": "aws.ec2"}, "`by-hand.aws.ec2`"),
        ({**GOOD, "detail": "text"}, "detail must be a JSON object"),
        ({**GOOD, "resources": "arn"}, "resources must be a list"),
        ({**GOOD, "detail": {"x": "é" * 600_000}}, "takes fewer than 1,048,576"),
    ],
)
def test_what_eventbridge_would_refuse_is_refused_with_its_place(event: Any, said: str) -> None:
    with pytest.raises(UsageError, match=r"events\.jsonl, line 3") as refused:
        entries.entry(event, "events.jsonl, line 3")
    assert said in str(refused.value)


def test_a_file_may_leave_out_what_the_options_say_and_may_have_empty_lines() -> None:
    lines = ['{"detail": {"n": 1}}', "", '{"source": "other", "detail": {"n": 2}, "time": "ignored"}']
    made = entries.entries(lines, "events.jsonl", {"source": "shop", "detail-type": "Order"})
    assert [(one.source, one.detail_type, json.loads(one.detail)["n"]) for one in made] == [
        ("shop", "Order", 1),
        ("other", "Order", 2),
    ]


def test_a_line_that_is_no_json_is_pointed_at() -> None:
    with pytest.raises(UsageError, match=r"events\.jsonl, line 2 is not JSON: .*It begins '{oops'"):
        entries.entries([json.dumps(GOOD), "{oops"], "events.jsonl", {})


SIZES = st.lists(st.integers(min_value=0, max_value=700_000), max_size=25)


@given(SIZES)
def test_no_call_holds_more_than_eventbridge_takes_and_none_is_lost(sizes: list[int]) -> None:
    made = [entries.Entry("s", "t", " " * size) for size in sizes]
    calls = list(buses.calls(made))
    assert [one for call in calls for one in call] == made
    for call in calls:
        assert 1 <= len(call) <= 10
        assert sum(one.size for one in call) < entries.MOST_BYTES


class OneSession:
    """A session whose client is a stub."""

    region_name = "us-east-1"

    def __init__(self) -> None:
        self._client = boto3.client(
            "events", region_name="us-east-1", aws_access_key_id="000000000000", aws_secret_access_key="test"
        )
        self.stub = Stubber(self._client)
        self.stub.activate()

    def client(self, _: str) -> Any:
        return self._client


@pytest.fixture
def session() -> Any:
    return OneSession()


def test_entries_that_failed_are_counted_by_their_reason_and_not_as_sent(session: Any) -> None:
    taken, refused = {"EventId": "1"}, {"ErrorCode": "InternalFailure", "ErrorMessage": "again"}
    for answers in ([taken] * 9 + [refused], [refused, taken]):
        failed = answers.count(refused)
        session.stub.add_response("put_events", {"FailedEntryCount": failed, "Entries": answers}, {"Entries": ANY})
    told: list[int] = []
    made = [entries.entry(GOOD, "here")] * 12
    sent = buses.put(session, "Orders", made, lambda now: told.append(len(now.event_ids)))
    assert len(sent.event_ids) == 10
    assert dict(sent.failures) == {"InternalFailure: again": 2}
    assert told == [9, 10]


def test_a_bus_that_does_not_exist_is_refused_with_those_that_do(session: Any) -> None:
    session.stub.add_client_error("describe_event_bus", "ResourceNotFoundException")
    session.stub.add_response("list_event_buses", {"EventBuses": [{"Name": "default"}, {"Name": "Orders"}]})
    with pytest.raises(UsageError, match=r"no event bus Order\. The buses are: Orders, default"):
        buses.require_bus(session, "Order")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0s", NOW),
        ("90m", NOW - timedelta(minutes=90)),
        ("2d", NOW - timedelta(days=2)),
        ("2026-05-01T09:30", NOW.replace(hour=9, minute=30)),
        ("2026-05-01T09:30:00Z", NOW.replace(hour=9, minute=30)),
        ("2026-05-01T11:30:00+02:00", NOW.replace(hour=9, minute=30)),
        ("2026-05-01", NOW.replace(hour=0)),
    ],
)
def test_a_moment_is_a_time_or_how_long_ago(text: str, moment: datetime) -> None:
    assert archives.moment(text, "--from", now=NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "5", "-1h", "1w", "2026-13-01", "99999999999d"])
def test_what_is_no_moment_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError, match="such as 10m, 2h or 1d"):
        archives.moment(text, "--from", now=NOW)


@pytest.mark.parametrize(("start", "end"), [("1m", "1h"), ("0s", "0s"), ("2026-05-02", "0s")])
def test_a_time_that_ends_before_it_begins_is_refused(start: str, end: str) -> None:
    with pytest.raises(UsageError, match="--from must be earlier than --to"):
        archives.span(start, end, now=NOW)


def test_an_interrupted_replay_is_cancelled(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(archives, "_wait_for", interrupt)
    archive = {"ArchiveArn": "arn:aws:events:us-east-1:0:archive/A", "EventSourceArn": "arn:aws:events:::event-bus/B"}
    session.stub.add_response("describe_archive", archive, {"ArchiveName": "A"})
    session.stub.add_response("start_replay", {})
    session.stub.add_response("cancel_replay", {})
    with pytest.raises(KeyboardInterrupt):
        archives.replay(session, "A", NOW - timedelta(hours=1), NOW, lambda _: None)
    session.stub.assert_no_pending_responses()


def test_a_replay_that_eventbridge_gives_up_is_an_error_with_its_reason(session: Any) -> None:
    archive = {"ArchiveArn": "arn:aws:events:us-east-1:0:archive/A", "EventSourceArn": "arn:aws:events:::event-bus/B"}
    session.stub.add_response("describe_archive", archive, {"ArchiveName": "A"})
    session.stub.add_response("start_replay", {})
    session.stub.add_response("describe_replay", {"State": "FAILED", "StateReason": "The bus is gone."})
    with pytest.raises(LabError, match=r"is FAILED: The bus is gone\."):
        archives.replay(session, "A", NOW - timedelta(hours=1), NOW, lambda _: None)
    session.stub.assert_no_pending_responses()


def test_messages_that_are_not_wanted_stay_in_the_queue() -> None:
    sqs = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="0" * 12, aws_secret_access_key="test")
    stub = Stubber(sqs)
    messages = [{"ReceiptHandle": f"r{number}", "Body": json.dumps({"n": number})} for number in range(3)]
    deleted = {"QueueUrl": "u", "Entries": [{"Id": "0", "ReceiptHandle": "r1"}]}
    stub.add_response("receive_message", {"Messages": messages})
    stub.add_response("delete_message_batch", {"Successful": [], "Failed": []}, deleted)
    with stub:
        assert inbox.Inbox(sqs, "u", "").receive(lambda body: body["n"] == 1) == [{"n": 1}]
    stub.assert_no_pending_responses()


def test_what_every_event_has_need_not_be_said(session: Any) -> None:
    session.stub.add_response("test_event_pattern", {"Result": True}, {"EventPattern": ANY, "Event": ANY})
    assert patterns.matches(session, {"source": ["a"]}, {"source": "a"})


@pytest.mark.parametrize(("pattern", "event", "said"), [([], {}, "--pattern"), ({}, "text", "--event")])
def test_a_pattern_and_an_event_are_objects(session: Any, pattern: Any, event: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        patterns.matches(session, pattern, event)


@pytest.mark.parametrize(
    ("text", "said"), [('{"a": NaN}', "NaN is a number in Python alone"), ('{"a": 1, "a": 2}', "a is there twice")]
)
def test_what_only_some_programs_take_for_json_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        entries.parsed(text, "--detail")


def test_a_field_that_no_event_has_is_not_dropped_in_silence() -> None:
    event = {"source": "shop.orders", "detail-type": "OrderPlaced", "detail": {}, "detial": {"id": "7"}}
    with pytest.raises(UsageError, match=r"orders\.jsonl, line 1: an event has no field detial"):
        entries.entries([json.dumps(event)], "orders.jsonl", {})
