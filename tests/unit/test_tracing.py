"""Invocations and their steps become subsegments, and whatever fails in tracing stays in there."""

from __future__ import annotations

import contextvars
import json
import logging
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from tracing import daemon, harmless, subsegment, tracer

import lambda_src.tracing
from tests.unit.fake_daemon import PARENT, ROOT, SAMPLED, FakeDaemon, invoked, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

tracer_module = sys.modules["tracing.tracer"]
UNSAMPLED = SAMPLED.replace("Sampled=1", "Sampled=0")


@pytest.fixture
def xray(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDaemon]:
    harmless._told.clear()
    with invoked(monkeypatch) as fake:
        yield fake


def run(work: Callable[[], object], event: object = None) -> object:
    """Invoke a handler that does this work."""

    @tracer.handler
    def handler(event: object, context: object) -> object:  # noqa: ARG001
        return work()

    return handler(event, None)


def test_an_invocation_is_a_subsegment_of_the_functions_segment(xray: FakeDaemon) -> None:
    assert run(lambda: "answer") == "answer"

    [document] = xray.received()
    assert document["name"] == "handler"
    assert (document["type"], document["trace_id"], document["parent_id"]) == ("subsegment", ROOT, PARENT)
    assert document.keys() == {"id", "trace_id", "parent_id", "type", "name", "start_time", "end_time"}


def test_steps_are_nested_as_their_blocks_are(xray: FakeDaemon) -> None:
    def work() -> None:
        with tracer.subsegment("outer"), tracer.subsegment("inner"):
            pass
        with tracer.subsegment("next"):
            pass

    run(work)

    received = xray.received()
    handler, outer = named(received, "handler"), named(received, "outer")
    assert named(received, "inner")["parent_id"] == outer["id"]
    assert outer["parent_id"] == named(received, "next")["parent_id"] == handler["id"]


def test_a_step_is_sent_when_it_ends_and_not_when_the_invocation_does(xray: FakeDaemon) -> None:
    def work() -> None:
        with tracer.subsegment("first"):
            pass
        assert [document["name"] for document in xray.received()] == ["first"]

    run(work)


def test_annotations_and_metadata_are_in_their_fields(xray: FakeDaemon) -> None:
    def work() -> None:
        with tracer.subsegment("step") as step:
            step.annotate("paid", True)
            step.annotate("total", 12.5)
            step.annotate("customer tier!", "gold")
            step.add_metadata("items", [{"count": 2}, None])

    run(work)

    step = named(xray.received(), "step")
    assert step["annotations"] == {"paid": True, "total": 12.5, "customer_tier_": "gold"}
    assert step["metadata"] == {"default": {"items": [{"count": 2}, None]}}


def test_metadata_is_recorded_as_it_was_when_it_was_added(xray: FakeDaemon) -> None:
    def work() -> None:
        items = ["first"]
        with tracer.subsegment("step") as step:
            step.add_metadata("items", items)
            items.append("second")

    run(work)

    assert named(xray.received(), "step")["metadata"] == {"default": {"items": ["first"]}}


def circular() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


class Unfriendly:
    def __repr__(self) -> str:
        raise RuntimeError("do not look at me")

    __str__ = __repr__


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (object(), "<object>"),
        (b"bytes", "<bytes>"),
        ({1: {"set": {1}}}, {"1": {"set": "<set>"}}),
        ({(1, 2): "no key of JSON"}, {}),
        (float("nan"), "<float> cannot be written: ValueError"),
        (circular(), "<list> cannot be written: ValueError"),
        (Unfriendly(), "<Unfriendly>"),
        ("\ud800", "?"),
    ],
)
def test_metadata_that_is_no_json_is_replaced_by_what_it_is(xray: FakeDaemon, value: object, recorded: object) -> None:
    def work() -> None:
        with tracer.subsegment("step") as step:
            step.add_metadata("value", value)

    run(work)

    assert named(xray.received(), "step")["metadata"] == {"default": {"value": recorded}}


def test_an_annotation_that_has_no_text_loses_itself_and_nothing_else(xray: FakeDaemon) -> None:
    def work() -> str:
        with tracer.subsegment("step") as step:
            step.annotate("unfriendly", Unfriendly())  # type: ignore[arg-type]
            step.annotate("nan", float("nan"))
        return "done"

    assert run(work) == "done"
    assert named(xray.received(), "step")["annotations"] == {"nan": "nan"}


def fail() -> None:
    secret = "variables are not recorded"  # noqa: F841, S105
    try:
        raise KeyError("the cause")
    except KeyError as cause:
        raise ValueError("first line with https://user:word@host/path?token=abc\nsecond line") from cause


def test_an_exception_is_a_fault_with_its_stack_and_its_cause_and_leaves_the_handler(xray: FakeDaemon) -> None:
    with pytest.raises(ValueError, match="first line"):
        run(fail)

    [document] = xray.received()
    assert document["fault"] is True
    error, cause = document["cause"]["exceptions"]
    assert (error["type"], cause["type"]) == ("ValueError", "KeyError")
    assert error["message"] == "first line with https://host/path"
    assert error["cause"] == cause["id"]
    assert [frame["label"] for frame in error["stack"]] == ["fail", "handler", "traced"]
    assert error["stack"][0]["path"] == __file__
    assert "variables are not recorded" not in json.dumps(document)


def test_a_deep_stack_keeps_its_most_recent_frames(xray: FakeDaemon) -> None:
    def deep(left: int) -> None:
        if left == 0:
            raise RuntimeError
        deep(left - 1)

    with pytest.raises(RuntimeError):
        run(lambda: deep(100))

    [error] = xray.received()[0]["cause"]["exceptions"]
    assert len(error["stack"]) == 30
    assert error["truncated"] > 70
    assert error["stack"][0]["label"] == "deep"


def test_what_is_caught_outside_a_step_is_recorded_in_it_alone(xray: FakeDaemon) -> None:
    def work() -> None:
        try:
            with tracer.subsegment("step"):
                fail()
        except ValueError:
            pass

    run(work)

    received = xray.received()
    assert named(received, "step")["fault"] is True
    assert "fault" not in named(received, "handler")


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (200, set()),
        (302, set()),
        (404, {"error"}),
        (429, {"error", "throttle"}),
        (500, {"fault"}),
        ("404", {"error"}),
    ],
)
def test_the_status_that_a_handler_answers_sets_its_flags(xray: FakeDaemon, status: object, flags: set[str]) -> None:
    run(lambda: {"statusCode": status, "body": "SECRET"})

    [document] = xray.received()
    assert document["http"] == {"response": {"status": int(str(status))}}
    assert document.keys() & {"error", "throttle", "fault"} == flags
    assert "SECRET" not in json.dumps(document)


@pytest.mark.parametrize(
    "answer", [None, [], "404", {}, {"statusCode": None}, {"statusCode": True}, {"statusCode": "x"}]
)
def test_an_answer_without_a_status_is_neither_error_nor_fault(xray: FakeDaemon, answer: object) -> None:
    assert run(lambda: answer) == answer
    assert not xray.received()[0].keys() & {"http", "error", "throttle", "fault"}


def sent_by(*headers: object) -> dict[str, Any]:
    return {"Records": [{"body": "SECRET", "attributes": {"AWSTraceHeader": each}} for each in headers]}


def sender(number: int, sampled: int = 1) -> str:
    return f"Root=1-581cf771-{number:024x};Parent={number:016x};Sampled={sampled}"


def link_to(records: Any) -> dict[str, Any]:
    """Return the document of a step that is linked to the senders of these records."""
    sent: list[dict[str, Any]] = []

    def work() -> None:
        with tracer.subsegment("step", links=tracer.links_of(records)):
            pass

    with pytest.MonkeyPatch.context() as patch, invoked(patch) as fake:
        run(work)
        sent = fake.received()
    return named(sent, "step")


def test_a_step_is_linked_once_to_each_trace_that_its_messages_come_from() -> None:
    records = sent_by(sender(1), sender(2), sender(1), sender(3, sampled=0), "junk", None, 7)["Records"]

    step = link_to(records)

    assert step["links"] == [
        {
            "trace_id": f"1-581cf771-{number:024x}",
            "id": f"{number:016x}",
            "attributes": {"aws.xray.reserved.reference_type": "parent"},
        }
        for number in (1, 2)
    ]
    assert "SECRET" not in json.dumps(step)


def test_a_batch_that_lambda_hands_over_is_not_linked_again(xray: FakeDaemon) -> None:
    # AWS Lambda links its own segment of the invocation: a second link would be a second edge of the graph.
    run(lambda: None, sent_by(sender(1)))

    assert "links" not in xray.received()[0]


def test_of_a_long_batch_no_more_records_are_read_than_xray_follows_links() -> None:
    records = iter(sent_by(*(sender(number) for number in range(1, 10_001)))["Records"])

    assert len(link_to(records)["links"]) == 20
    assert sum(1 for _ in records) == 9_980


def test_of_a_long_batch_that_was_not_sampled_no_header_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(tracer_module, "read_header", read.append)

    assert tracer.links_of(sent_by(*(sender(number, 0) for number in range(1, 10_001)))["Records"]) == []
    assert read == []


def test_a_message_of_the_invocations_own_trace_is_no_link() -> None:
    assert "links" not in link_to(sent_by(SAMPLED)["Records"])


@pytest.mark.parametrize("records", [[], [None], [7, "text"], [{}], [{"attributes": None}], None, 7])
def test_records_of_any_shape_have_no_links(records: Any) -> None:
    assert tracer.links_of(records) == []


@pytest.mark.parametrize("event", [None, [], "text", {}, {"Records": 7}, {"Records": [None, 7, {"attributes": None}]}])
def test_an_event_of_any_shape_is_handled(xray: FakeDaemon, event: object) -> None:
    assert run(lambda: "done", event) == "done"
    assert len(xray.received()) == 1


def test_an_invocation_after_a_failed_one_has_a_trace_of_its_own(
    xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_open() -> None:
        tracer.subsegment("never left").__enter__()
        fail()

    with pytest.raises(ValueError, match="first line"):
        run(leave_open)
    [failed] = xray.received()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED.replace(PARENT, "1" * 16))
    run(lambda: None)

    [document] = xray.received()
    assert (failed["fault"], failed["parent_id"]) == (True, PARENT)
    assert document["parent_id"] == "1" * 16
    assert not document.keys() & {"fault", "cause"}


def test_a_handler_that_another_one_calls_is_a_step_of_it(xray: FakeDaemon) -> None:
    @tracer.handler
    def inner(event: object, context: object) -> None:  # noqa: ARG001
        with ThreadPoolExecutor(1) as pool:
            pool.submit(step).result()

    def step() -> None:
        with tracer.subsegment("thread"):
            pass

    run(lambda: inner(None, None))

    received = xray.received()
    made = named(received, "inner")
    assert made["parent_id"] == named(received, "handler")["id"]
    assert named(received, "thread")["parent_id"] == made["id"]


def test_invocations_at_one_time_leave_nothing_behind(xray: FakeDaemon) -> None:
    first_began, second_began, first_ended = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        first_began.set()
        assert second_began.wait(10)

    def second() -> None:
        second_began.set()
        assert first_ended.wait(10)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(run, first)
        assert first_began.wait(10)
        two = pool.submit(run, second)
        one.result()
        first_ended.set()
        two.result()
    with tracer.subsegment("late"):
        pass

    assert [document["name"] for document in xray.received()] == ["handler", "handler"]


def test_what_had_ended_is_sent_when_lambda_ends_the_process_at_its_timeout(xray: FakeDaemon) -> None:
    code = """
import os
from tracing import tracer

@tracer.handler
def handler(event, context):
    with tracer.subsegment("ended"):
        pass
    with tracer.subsegment("under way"):
        os._exit(1)

handler(None, None)
"""
    environment = {**os.environ, "PYTHONPATH": str(lambda_src.tracing.RUNTIME)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=60)

    assert ended.returncode == 1
    assert [document["name"] for document in xray.received()] == ["ended"]


def test_a_generator_that_is_not_read_to_its_end_is_no_fault(xray: FakeDaemon) -> None:
    def numbers() -> Iterator[int]:
        with tracer.subsegment("numbers"):
            yield from range(10)

    def work() -> None:
        made = numbers()
        assert next(made) == 0
        made.close()

    run(work)

    assert "fault" not in named(xray.received(), "numbers")


def test_a_thread_goes_on_at_the_invocation(xray: FakeDaemon) -> None:
    def step(number: int) -> str:
        with tracer.subsegment(f"step {number}") as made, tracer.subsegment(f"inner {number}"):
            return made.header

    def work() -> None:
        with tracer.subsegment("outer"), ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(step, range(20)))) == 20

    run(work)

    received = xray.received()
    handler = named(received, "handler")
    for number in range(20):
        outer = named(received, f"step {number}")
        assert outer["parent_id"] == handler["id"]
        assert named(received, f"inner {number}")["parent_id"] == outer["id"]


def test_a_thread_in_the_context_of_a_step_goes_on_there(xray: FakeDaemon) -> None:
    def step() -> None:
        with tracer.subsegment("step"):
            pass

    def work() -> None:
        with tracer.subsegment("outer"), ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, step).result()

    run(work)

    received = xray.received()
    assert named(received, "step")["parent_id"] == named(received, "outer")["id"]


def test_a_thread_that_outlives_its_invocation_is_not_traced(xray: FakeDaemon) -> None:
    over = threading.Event()

    def late() -> None:
        assert over.wait(10)
        with tracer.subsegment("late"):
            pass

    with ThreadPoolExecutor(1) as pool:
        run(lambda: pool.submit(late))
        over.set()

    assert [document["name"] for document in xray.received()] == ["handler"]


def test_what_else_speaks_opentelemetry_is_in_the_same_trace(xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only the first provider of a process becomes its own; the test may come too late for that.
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: tracer.provider)

    def work() -> None:
        with trace.get_tracer("other").start_as_current_span("other") as span:
            span.set_attribute("order.id", 7)
            span.set_attribute("http.url", "https://user:SECRET@host/path?key=SECRET")
            span.set_attribute("url.query", "key=SECRET")
            span.set_attribute("aws.xray.metadata.plain", "no JSON")
            span.set_attribute("aws.xray.annotations", ["for the exporter"])
            span.set_attribute("http.request.header.x-api-key", ["SECRET"])
            with tracer.subsegment("step"):
                pass
            try:
                fail()
            except ValueError as error:
                span.record_exception(error)

    run(work)

    received = xray.received()
    other = named(received, "other")
    assert other["metadata"] == {"default": {"order.id": 7, "http.url": "https://host/path", "plain": "no JSON"}}
    assert "aws" not in other
    assert "SECRET" not in json.dumps(other)
    assert named(received, "step")["parent_id"] == other["id"]
    [error] = other["cause"]["exceptions"]
    assert error["message"] == "first line with https://host/path"
    assert error["stack"][0]["label"] == "fail"


def test_no_trace_begins_here() -> None:
    span = tracer.provider.get_tracer("other").start_span("root")

    assert not span.is_recording()


def test_the_provider_of_the_process_is_ours_in_a_bundle() -> None:
    code = (
        "from opentelemetry import trace\n"
        "from tracing import tracer\n"
        "assert trace.get_tracer_provider() is tracer.provider"
    )
    subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(lambda_src.tracing.RUNTIME)}, check=True, timeout=60
    )


def test_where_it_is_not_sampled_nothing_is_sent_and_the_header_goes_on(
    xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", UNSAMPLED)

    def work() -> str:
        with tracer.subsegment("step") as step:
            step.annotate("key", "value")
            step.add_metadata("key", "value")
            return step.header

    assert run(work) == UNSAMPLED
    with pytest.raises(ValueError, match="first line"):
        run(fail)
    assert xray.received() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_X_AMZN_TRACE_ID", None),
        ("_X_AMZN_TRACE_ID", ""),
        ("_X_AMZN_TRACE_ID", "junk"),
        ("_X_AMZN_TRACE_ID", f"Root={ROOT}"),
        ("_X_AMZN_TRACE_ID", "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=1"),
        ("AWS_XRAY_DAEMON_ADDRESS", None),
        ("AWS_XRAY_DAEMON_ADDRESS", ""),
    ],
)
def test_without_a_trace_or_a_daemon_nothing_happens(
    xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)

    def work() -> str:
        with tracer.subsegment("step") as step:
            step.annotate("key", "value")
            return f"done{step.header}"

    assert run(work) == "done"
    assert xray.received() == []


@pytest.mark.parametrize(
    "address", ["nowhere", "127.0.0.1:notaport", "tcp:127.0.0.1:2000", "127.0.0.1:0", "127.0.0.1:1"]
)
def test_a_daemon_that_cannot_be_reached_does_not_fail_the_request(
    xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)

    assert run(lambda: "done") == "done"
    assert xray.received() == []


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (daemon, "send"),
        (tracer_module, "document"),
        (tracer_module, "datagram"),
        (tracer_module, "read_header"),
        (subsegment, "write_header"),
        (subsegment, "described"),
        (subsegment, "attach"),
        (subsegment, "detach"),
        (subsegment, "annotation"),
        (subsegment, "metadata"),
    ],
)
@pytest.mark.parametrize("error", [OSError("no route"), RuntimeError("a mistake of ours"), RecursionError()])
@pytest.mark.usefixtures("xray")
def test_whatever_fails_in_tracing_the_request_does_not(
    monkeypatch: pytest.MonkeyPatch, where: Any, what: str, error: Exception
) -> None:
    def broken(*_: object) -> object:
        raise error

    monkeypatch.setattr(where, what, broken)

    def work() -> str:
        with tracer.subsegment("step") as step:
            step.annotate("key", "value")
            step.add_metadata("key", "value")
        try:
            with tracer.subsegment("failing step"):
                fail()
        except ValueError:
            return "done"
        return "the exception was swallowed"

    # What was not detached must not be current in the tests that follow.
    assert contextvars.copy_context().run(run, work, sent_by(sender(1))) == "done"
    with pytest.raises(ValueError, match="first line"):
        contextvars.copy_context().run(run, fail)


def test_a_start_that_fails_leaves_the_span_around_it_alone(xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        with tracer.subsegment("outer") as outer:
            with monkeypatch.context() as patch:
                patch.setattr(tracer, "start", lambda *_, **__: 1 / 0)
                with tracer.subsegment("lost") as lost:
                    lost.annotate("key", "of the lost one")
            outer.annotate("key", "of the outer one")

    run(work)

    received = xray.received()
    assert {document["name"] for document in received} == {"handler", "outer"}
    assert named(received, "outer")["annotations"] == {"key": "of the outer one"}


def test_the_log_tells_once_of_what_fails_and_quotes_nothing(
    xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: bytes) -> None:
        raise OSError("SECRET")

    monkeypatch.setattr(daemon, "send", broken)

    with caplog.at_level(logging.WARNING, "tracing"):
        for _ in range(3):
            run(lambda: None)

    assert [record.getMessage() for record in caplog.records] == ["Part of a trace is lost: OSError in _Sender.on_end"]
    assert xray.received() == []


def test_the_name_of_a_daemons_host_is_not_looked_up(xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", xray.address.replace("127.0.0.1", "localhost"))

    assert run(lambda: "done") == "done"
    assert xray.received() == []


def test_a_full_socket_loses_the_document_and_no_time(xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def sendto(self, *_: object) -> None:
            raise BlockingIOError

    monkeypatch.setattr(daemon, "_opened", lambda _: (Full(), None))

    assert run(lambda: "done") == "done"
    assert xray.received() == []


def test_the_daemons_socket_never_blocks(xray: FakeDaemon) -> None:
    run(lambda: None)

    channel, _ = daemon._opened(xray.address)
    assert channel.getblocking() is False


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:2000", ("127.0.0.1", 2000)),
        ("udp:127.0.0.2:2001", ("127.0.0.2", 2001)),
        ("tcp:127.0.0.1:2000 udp:127.0.0.2:2001", ("127.0.0.2", 2001)),
        ("udp:127.0.0.2:2001 tcp:127.0.0.1:2000", ("127.0.0.2", 2001)),
        ("[::1]:2000", ("::1", 2000)),
        ("xray-daemon:2000", ("xray-daemon", 2000)),
    ],
)
def test_a_daemons_address_is_read_in_every_form(text: str, address: tuple[str, int]) -> None:
    assert daemon.udp_address(text) == address


@pytest.mark.parametrize("text", ["", "2000", ":2000", "host:", "tcp:127.0.0.1:2000"])
def test_what_is_no_address_of_a_daemon_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        daemon.udp_address(text)


def test_a_large_document_is_sent_without_its_metadata_which_says_so(xray: FakeDaemon) -> None:
    def work() -> None:
        with tracer.subsegment("step") as step:
            step.annotate("kept", True)
            step.add_metadata("large", "ä" * 70_000)

    run(work)

    step = named(xray.received(), "step")
    assert step["annotations"] == {"kept": True}
    assert step["metadata"] == {"tracing": {"left_out_for_their_size": ["metadata"]}}


def test_a_handler_keeps_its_name_and_its_arguments() -> None:
    @tracer.handler
    def orders(event: int, context: int) -> int:
        """Handle an order."""
        return event + context

    assert (orders.__name__, orders.__doc__, orders(1, 2)) == ("orders", "Handle an order.", 3)


def test_the_example_in_the_documentation_runs(xray: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.*?)```", lambda_src.tracing.__doc__ or "", flags=re.S)
    stored: list[dict[str, Any]] = []
    table = SimpleNamespace(put_item=lambda **arguments: stored.append(arguments["Item"]))
    monkeypatch.setitem(
        sys.modules,
        "boto3",
        SimpleNamespace(resource=lambda _: SimpleNamespace(Table=lambda _: table)),  # type: ignore[arg-type]
    )
    example: dict[str, Any] = {}
    exec(code, example)  # noqa: S102

    answer = example["handler"]({"id": "o1", "currency": "EUR", "items": [{"price": 2}, {"price": 3}]}, None)

    assert (answer, stored) == ({"statusCode": 201}, [{"OrderId": "o1", "Total": 5}])
    step = named(xray.received(), "price the order")
    assert step["annotations"] == {"currency": "EUR"}
    assert step["metadata"] == {"default": {"items": {"count": 2}}}


def test_starting_scans_no_packages_and_loads_nothing_of_the_sdk_that_is_not_used() -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import sys, botocore.session\nbefore = set(sys.modules)\nimport tracing\n"
         "print(*set(sys.modules) - before)"],
        env={"PYTHONPATH": str(lambda_src.tracing.RUNTIME)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    loaded = set(started.stdout.split())
    assert "opentelemetry.sdk.trace" in loaded
    assert loaded.isdisjoint(
        {
            "importlib.metadata",
            "opentelemetry.propagate",
            "opentelemetry.sdk._logs",
            "opentelemetry.sdk.metrics",
            "opentelemetry.sdk.trace.export",
        }
    )
