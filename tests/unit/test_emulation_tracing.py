"""The tracing header is read as AWS's services read it, and a segment that cannot be sent disturbs nobody."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.emulation.tracing import header, hooks, sampling, segments
from lab.emulation.tracing.header import TraceHeader
from lab.xray.sampling import Request, SamplingRule

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"
NEVER = SamplingRule("never", priority=1, reservoir_size=0, fixed_rate=0.0)
ALWAYS = SamplingRule("always", priority=1, reservoir_size=0, fixed_rate=1.0)


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{receiver.getsockname()[1]}")
        yield receiver


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"Root={ROOT}", TraceHeader(ROOT)),
        (f"Root={ROOT};Sampled=1", TraceHeader(ROOT, "", True)),
        (f"Root={ROOT};Parent={PARENT};Sampled=0", TraceHeader(ROOT, PARENT, False)),
        (f"Sampled=1; Parent={PARENT}; Root={ROOT}", TraceHeader(ROOT, PARENT, True)),
        (f"Self=1-67891234-12456789abcdef012345678;Root={ROOT};Lineage=1:a87bd80c:0", TraceHeader(ROOT)),
        (f"Root={ROOT};Sampled=?", TraceHeader(ROOT)),
        (f"Root={ROOT};Parent=none", TraceHeader(ROOT)),
        (f"Parent={PARENT};Sampled=1", None),
        ("Root=1-5759E988-BD862E3FE1BE46A994272793", None),
        ("Root=2-5759e988-bd862e3fe1be46a994272793", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_a_header_is_read_as_documented(text: object, read: TraceHeader | None) -> None:
    assert header.read(text) == read


@given(st.text())
def test_whatever_stands_in_a_header_it_is_read(text: str) -> None:
    found = header.read(text)
    assert found is None or header.read(str(found)) == found


def test_a_header_that_is_written_reads_the_same() -> None:
    began = header.new_trace()
    for one in (began, began.decided(True), began.decided(False).below(header.new_id())):
        assert header.read(str(one)) == one


def test_a_segment_reaches_the_daemons_port(daemon: socket.socket) -> None:
    sent = segments.segment(TraceHeader(ROOT, PARENT, True), "front", "AWS::Lambda", 1.0, 2.5, **segments.flags(503))
    segments.send(sent)
    preamble, _, document = daemon.recv(65536).partition(b"\n")
    assert json.loads(preamble) == {"format": "json", "version": 1}
    assert json.loads(document) == sent
    assert (sent["trace_id"], sent["parent_id"], sent["fault"]) == (ROOT, PARENT, True)
    assert not {"error", "throttle", "links"} & set(sent)


def test_a_subsegment_of_its_own_names_its_trace_and_its_parent(daemon: socket.socket) -> None:
    segments.send_below(TraceHeader(ROOT, PARENT, True), segments.subsegment("SQS", 1.0, 2.0, namespace="aws"))
    document = json.loads(daemon.recv(65536).partition(b"\n")[2])
    assert (document["type"], document["trace_id"], document["parent_id"]) == ("subsegment", ROOT, PARENT)


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:no", "127.0.0.1:99999", "no.such.host.invalid:2000"])
def test_an_address_that_is_none_fails_no_request(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    segments.send({"name": "front"})


def test_a_document_that_is_too_large_fails_no_request(daemon: socket.socket) -> None:
    segments.send({"name": "x" * 100_000})
    segments.send({"name": "front"})
    assert json.loads(daemon.recv(65536).partition(b"\n")[2]) == {"name": "front"}


@pytest.mark.parametrize(
    ("status", "flags"),
    [(200, set()), (302, set()), (404, {"error"}), (429, {"error", "throttle"}), (500, {"fault"}), (504, {"fault"})],
)
def test_a_status_has_the_flags_of_the_documentation(status: int, flags: set[str]) -> None:
    assert {flag for flag, is_set in segments.flags(status).items() if is_set} == flags


def test_the_rules_are_asked_for_once_a_second_and_no_more() -> None:
    asked: list[None] = []

    def rules() -> list[SamplingRule]:
        asked.append(None)
        return [ALWAYS]

    stages = sampling.Stages(rules)

    async def ten() -> list[bool]:
        return [await stages.sampled(Request()) for _ in range(10)]

    assert asyncio.run(ten()) == [True] * 10
    assert len(asked) == 1


def test_while_the_service_does_not_answer_its_last_rules_are_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_RULES_LAST_SECONDS", -1)
    answers = [[NEVER]]

    def rules() -> list[SamplingRule]:
        if not answers:
            raise OSError("refused")
        return answers.pop()

    stages = sampling.Stages(rules)

    async def three() -> list[bool]:
        return [await stages.sampled(Request()) for _ in range(3)]

    assert asyncio.run(three()) == [False] * 3


def test_without_a_service_one_request_a_second_is_recorded() -> None:
    def refuse() -> list[SamplingRule]:
        raise OSError("refused")

    stages = sampling.Stages(refuse)
    assert asyncio.run(stages.sampled(Request()))


def test_every_function_has_a_rate_of_its_own() -> None:
    assert [sampling.of_function(f"arn:{name}") for name in ("one", "two", "three")] == [True] * 3


def test_a_recording_that_fails_is_logged_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    @hooks.never_fails
    def record() -> None:
        raise KeyError("a field")

    record()
    assert "not traced" in caplog.text


def test_a_wrapped_function_keeps_its_signature() -> None:
    class Service:
        @staticmethod
        def publish(topic: str, message: str) -> str:
            return f"{topic}: {message}"

    hooks.wrap(Service, "publish", lambda publish, topic, message: publish(topic, message.upper()))
    assert Service.publish("orders", "placed") == "orders: PLACED"
    assert Service.publish.__name__ == "publish"
