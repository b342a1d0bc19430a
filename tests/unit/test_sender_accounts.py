"""The sender accounts for every message, whatever SQS and the network do."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_src.message_sender.runtime import sender
from lambda_src.message_sender.runtime.plan import Plan
from lambda_src.message_sender.runtime.sender import BatchResult, Totals, send
from tests.unit.fake_sqs import FakeSqs, Step, client_error

if TYPE_CHECKING:
    from collections.abc import Iterator

UNREACHABLE = EndpointConnectionError(endpoint_url="https://sqs")
LOST_ANSWER = Step(error=ReadTimeoutError(endpoint_url="https://sqs"), accepted_before=True)


@dataclass(frozen=True, kw_only=True)
class Given(Plan):
    """Sends the texts that a test gives."""

    texts: tuple[str, ...]

    def bodies(self) -> Iterator[str]:
        return iter(self.texts)


def numbered(messages: int, **options: Any) -> Given:
    return Given(texts=tuple(f"message {number}" for number in range(messages)), **options)


@pytest.fixture(autouse=True, scope="module")
def no_backoff() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sender, "_backoff", lambda: [0.0] * sender.ATTEMPTS)
        yield


def run(sqs: FakeSqs, plan: Plan, queue_name: str = "Messages", **options: Any) -> tuple[Totals, list[BatchResult]]:
    results: list[BatchResult] = []
    totals = send(sqs, sqs.url(queue_name), plan, progress=lambda result, _: results.append(result), **options)  # type: ignore[arg-type]
    return totals, results


transient_errors = st.sampled_from(
    [
        client_error("ThrottlingException", 400),
        client_error("RequestThrottled", 403),
        client_error("ServiceUnavailable", 503),
        client_error("InternalFailure", 500),
        UNREACHABLE,
        ConnectionClosedError(endpoint_url="https://sqs"),
        ReadTimeoutError(endpoint_url="https://sqs"),
    ]
)
final_errors = st.sampled_from([client_error("AccessDenied", 403), NoCredentialsError()])
positions = st.integers(0, 9)
steps = st.one_of(
    st.just(Step()),
    st.builds(Step, failed=st.dictionaries(positions, st.booleans()), forgotten=st.frozensets(positions)),
    st.builds(Step, error=transient_errors, accepted_before=st.booleans()),
)
scripts = st.one_of(
    st.lists(steps, max_size=30),
    # Long outages use up all attempts of a batch.
    st.lists(st.builds(Step, error=transient_errors, accepted_before=st.booleans()), min_size=8, max_size=30),
    st.lists(st.one_of(steps, st.builds(Step, error=final_errors, accepted_before=st.booleans())), max_size=30),
)


@settings(max_examples=400, deadline=None)
@given(scripts, st.integers(0, 60), st.integers(1, 4), st.sampled_from(["Messages", "Messages.fifo"]))
def test_sent_is_what_sqs_answered_and_all_else_that_was_tried_is_counted_as_failed(
    script: list[Step], messages: int, parallel: int, queue_name: str
) -> None:
    sqs = FakeSqs(queue_name, script=script)
    plan = numbered(messages, parallel=parallel)
    totals, results = run(sqs, plan, queue_name)

    reported = {message_id: body for result in results for message_id, body in result.sent.items()}
    assert reported == sqs.answered
    assert totals.sent == len(sqs.answered) == len(set(sqs.answered.values()))
    tried = {entry["MessageBody"] for request in sqs.requests for entry in request}
    assert totals.sent + totals.failed == len(tried)
    assert totals.gave_up or len(tried) == messages
    assert totals.failures.keys() == {reason for result in results for reason in result.failed}


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=25))
def test_bodies_that_sqs_refuses_are_counted_as_failed_and_do_not_hold_up_the_others(bodies: list[str]) -> None:
    sqs = FakeSqs()
    totals, _ = run(sqs, Given(texts=tuple(bodies)))
    assert totals.sent == len(sqs.accepted)
    assert totals.sent + totals.failed == len(bodies)
    assert totals.gave_up is None


def test_ten_messages_go_in_one_request_in_order() -> None:
    sqs = FakeSqs()
    totals, _ = run(sqs, numbered(25))
    assert [len(request) for request in sqs.requests] == [10, 10, 5]
    assert list(sqs.accepted.values()) == [f"message {number}" for number in range(25)]
    assert (totals.sent, totals.failed, totals.gave_up) == (25, 0, None)


def test_only_the_entries_that_failed_are_tried_again() -> None:
    sqs = FakeSqs(script=[Step(failed={2: False, 7: False}), Step(failed={0: False})])
    totals, _ = run(sqs, numbered(10))
    assert [[entry["Id"] for entry in request][:2] for request in sqs.requests] == [["0", "1"], ["2", "7"], ["2"]]
    assert totals.sent == 10


def test_the_senders_own_faults_are_not_tried_again_and_their_reason_is_kept() -> None:
    sqs = FakeSqs(script=[Step(failed={3: True})])
    totals, results = run(sqs, numbered(10))
    assert len(sqs.requests) == 1
    assert (totals.sent, totals.failures) == (9, {"InternalError: InternalError!": 1})
    assert results[0].failed == ["InternalError: InternalError!"]


def test_a_message_that_never_gets_through_is_tried_eight_times_and_the_next_batch_is_tried_all_the_same() -> None:
    sqs = FakeSqs(script=[Step(failed={0: False})] * 8)
    totals, _ = run(sqs, numbered(20))
    assert [len(request) for request in sqs.requests] == [10, 1, 1, 1, 1, 1, 1, 1, 10]
    assert (totals.sent, totals.failed, totals.gave_up) == (19, 1, None)


def test_a_short_outage_loses_nothing() -> None:
    sqs = FakeSqs(script=[Step(error=UNREACHABLE)] * 7)
    totals, _ = run(sqs, numbered(20))
    assert (totals.sent, totals.failed) == (20, 0)


@pytest.mark.parametrize("outage", [[Step(error=UNREACHABLE)] * 8, [Step(error=client_error("AccessDenied", 403))]])
def test_nothing_more_is_tried_after_a_whole_request_failed_for_good(outage: list[Step]) -> None:
    sqs = FakeSqs(script=outage)
    totals, _ = run(sqs, Plan(message="hello", parallel=1))
    assert len(sqs.requests) == len(outage)
    assert (totals.sent, totals.failed) == (0, 10)
    assert totals.gave_up in totals.failures


@pytest.mark.parametrize(
    "error",
    [
        client_error("RequestThrottled", 403),
        client_error("ThrottlingException", 400),
        client_error("InternalFailure", 500),
        client_error("ServiceUnavailable", 503),
        UNREACHABLE,
        ConnectionClosedError(endpoint_url="https://sqs"),
        ReadTimeoutError(endpoint_url="https://sqs"),
    ],
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    totals, _ = run(FakeSqs(script=[Step(error=error)]), numbered(10))
    assert (totals.sent, totals.failed) == (10, 0)


def test_a_deleted_queue_is_no_reason_to_go_on() -> None:
    sqs = FakeSqs("Other")
    totals, _ = run(sqs, Plan(message="hello", parallel=4))
    assert totals.gave_up
    assert "NonExistentQueue" in totals.gave_up
    assert totals.sent == 0
    assert totals.failed <= 40


def test_a_lost_answer_doubles_the_messages_in_a_standard_queue_and_they_are_counted_once() -> None:
    sqs = FakeSqs(script=[LOST_ANSWER])
    totals, _ = run(sqs, numbered(10))
    assert len(sqs.accepted) == 20
    assert totals.sent == len(sqs.answered) == 10


def test_a_fifo_queue_recognises_what_is_tried_again() -> None:
    sqs = FakeSqs("Orders.fifo", script=[LOST_ANSWER])
    totals, _ = run(sqs, Plan(message="the same", count=10), "Orders.fifo")
    assert totals.sent == len(sqs.accepted) == 10


def test_each_worker_has_a_message_group_of_its_own_on_a_fifo_queue() -> None:
    sqs = FakeSqs("Orders.fifo")
    everybody_sends = threading.Barrier(3)
    original = sqs.send_message_batch

    def together(**request: Any) -> dict[str, Any]:
        everybody_sends.wait(5)
        return original(**request)

    sqs.send_message_batch = together  # type: ignore[method-assign]
    run(sqs, numbered(30, parallel=3), "Orders.fifo")
    groups = [{entry["MessageGroupId"] for entry in request} for request in sqs.requests]
    assert sorted(map(sorted, groups)) == [["sender-0"], ["sender-1"], ["sender-2"]]


def test_parallel_workers_send_at_the_same_time() -> None:
    sqs = FakeSqs()
    everybody_sends = threading.Barrier(8)
    original = sqs.send_message_batch

    def together(**request: Any) -> dict[str, Any]:
        everybody_sends.wait(5)
        return original(**request)

    sqs.send_message_batch = together  # type: ignore[method-assign]
    totals, _ = run(sqs, numbered(160, parallel=8))
    assert totals.sent == 160


def test_workers_take_turns_to_draw_bodies() -> None:
    class SlowlyDrawn(Given):
        def bodies(self) -> Iterator[str]:
            for text in self.texts:
                time.sleep(0.001)
                yield text  # a generator refuses to be resumed by two at once

    totals, _ = run(FakeSqs(), SlowlyDrawn(texts=("hello",) * 100, parallel=8))
    assert totals.sent == 100


def test_workers_take_turns_to_report() -> None:
    reporting = threading.Lock()

    def progress(*_: object) -> None:
        assert reporting.acquire(blocking=False), "two at once"
        time.sleep(0.005)
        reporting.release()

    sqs = FakeSqs()
    totals = send(sqs, sqs.url(), numbered(200, parallel=8), progress=progress)  # type: ignore[arg-type]
    assert totals.sent == 200


def test_the_rate_holds_over_all_workers() -> None:
    started = time.monotonic()
    totals, results = run(FakeSqs(), numbered(60, rate=200, parallel=4))
    assert len(results) == 6
    assert totals.sent == 60
    assert 0.24 <= time.monotonic() - started < 3


def test_stop_ends_an_endless_run_and_what_is_in_flight_is_finished_with_its_retries() -> None:
    stop = threading.Event()
    sqs = FakeSqs(script=[Step(), Step(failed={1: False}), Step(failed={0: False})])
    original = sqs.send_message_batch

    def stopped_while_sending(**request: Any) -> dict[str, Any]:
        if len(sqs.requests) == 1:
            stop.set()
        return original(**request)

    sqs.send_message_batch = stopped_while_sending  # type: ignore[method-assign]
    totals, _ = run(sqs, Plan(message="hello"), stop=stop)
    assert [len(request) for request in sqs.requests] == [10, 10, 1, 1]
    assert (totals.sent, totals.failed) == (20, 0)


def test_stop_ends_a_long_interval() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    totals, _ = run(FakeSqs(), Plan(message="hello", interval=3600), stop=stop)
    assert totals.sent == 1
    assert totals.seconds < 5


def test_the_last_message_is_not_followed_by_an_interval() -> None:
    totals, _ = run(FakeSqs(), Plan(message="hello", interval=3600, count=1, parallel=2))
    assert totals.sent == 1


def test_an_error_of_the_callers_progress_ends_the_run_and_reaches_the_caller() -> None:
    def progress(*_: object) -> None:
        raise RuntimeError("the terminal went away")

    sqs = FakeSqs()
    with pytest.raises(RuntimeError, match="the terminal went away"):
        send(sqs, sqs.url(), Plan(message="hello", parallel=4), progress=progress)  # type: ignore[arg-type]


def test_progress_tells_the_totals_so_far() -> None:
    seen: list[tuple[int, bool]] = []
    sqs = FakeSqs()
    send(sqs, sqs.url(), numbered(25), progress=lambda _, totals: seen.append((totals.sent, totals.seconds > 0)))  # type: ignore[arg-type]
    assert seen == [(10, True), (20, True), (25, True)]


def test_totals_are_one_line() -> None:
    totals = Totals(sent=12_000, seconds=2)
    totals.failures["InternalError"] += 3
    assert str(totals) == "12,000 sent, 3 failed in 2.00 s: 6,000.0 messages a second"
    assert str(Totals()) == "0 sent, 0 failed in 0.00 s: 0.0 messages a second"
