"""The recorder's functions: what becomes an item, who is let in, what each answer means to EventBridge."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from lambda_src import event_recorder, tracing

ENVIRONMENT = {
    "TABLE_NAME": "Events",
    "API_KEY_SECRET": "arn:aws:secretsmanager:us-east-1:111122223333:secret:key",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "event-recorder",
}
with mock.patch.dict(os.environ, ENVIRONMENT):
    from lambda_src.event_recorder.runtime import api_key, endpoint, handler, records

# Beside each other, as in a bundle.
PATH = os.pathsep.join([str(event_recorder.RUNTIME.parent), str(tracing.RUNTIME)])
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "e1",
    "source": "shop.orders",
    "detail-type": "OrderPlaced",
    "time": "2026-01-01T00:00:00Z",
    "detail": {"id": "A1", "total": 120, "note": "für"},
}
CONTEXT: Any = SimpleNamespace(
    aws_request_id="request-1",
    function_name="recorder",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:recorder",
)


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], dict[str, Any]]:
    """A table with the recorder's key, instead of DynamoDB's."""
    items: dict[tuple[str, str], dict[str, Any]] = {}

    def put_item(*, TableName: str, Item: dict[str, Any]) -> None:  # noqa: N803 - as boto3 names them
        assert TableName == "Events"
        items[Item["EventId"]["S"], Item["Rule"]["S"]] = Item

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(records, "dynamodb", SimpleNamespace(put_item=put_item))
    return items


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The secret as it is now, and how often it was read; the clock stands."""
    state = SimpleNamespace(key="right", reads=0, now=1000.0)

    def get_secret_value(*, SecretId: str) -> dict[str, str]:  # noqa: N803 - as boto3 names it
        assert SecretId == ENVIRONMENT["API_KEY_SECRET"]
        state.reads += 1
        return {"SecretString": state.key}

    monkeypatch.setattr(api_key, "secrets", SimpleNamespace(get_secret_value=get_secret_value))
    monkeypatch.setattr(api_key.time, "monotonic", lambda: state.now)
    monkeypatch.setattr(endpoint, "api_key", api_key.ApiKey())
    return state


def request(
    body: str | None = None, *, key: str | None = "right", path: str = "/", method: str = "POST", encoded: bool = False
) -> dict[str, Any]:
    """A request as a function URL hands it over."""
    made: dict[str, Any] = {
        "rawPath": path,
        "headers": {} if key is None else {"x-api-key": key},
        "requestContext": {"http": {"method": method}},
        "isBase64Encoded": encoded,
    }
    return made if body is None else {**made, "body": body}


def answer(made: dict[str, Any]) -> int:
    status: int = endpoint.handler(made, CONTEXT)["statusCode"]
    return status


def test_an_event_is_recorded_whole_with_the_rule_that_it_came_by(table: dict[tuple[str, str], Any]) -> None:
    handler.handler({"rule": "OrderPlaced", "event": EVENT}, CONTEXT)

    [item] = table.values()
    assert json.loads(item.pop("Event")["S"]) == EVENT
    assert int(item.pop("ExpiresAt")["N"]) > 0
    assert {name: value["S"] for name, value in item.items()} == {
        "EventId": "e1",
        "Rule": "OrderPlaced",
        "Source": "shop.orders",
        "DetailType": "OrderPlaced",
        "Time": "2026-01-01T00:00:00Z",
    }


def test_an_event_that_two_rules_match_is_there_twice_and_a_second_delivery_changes_nothing(
    table: dict[tuple[str, str], Any],
) -> None:
    for rule in ("OrderPlaced", "Audited", "OrderPlaced"):
        handler.handler({"rule": rule, "event": EVENT}, CONTEXT)

    assert set(table) == {("e1", "OrderPlaced"), ("e1", "Audited")}


def test_a_schedules_event_gets_the_id_of_its_request_and_the_time(table: dict[tuple[str, str], Any]) -> None:
    scheduled = {"source": "aws.scheduler", "detail-type": "Scheduled Event"}
    for _attempt in range(2):
        handler.handler({"rule": "Scheduled", "event": scheduled}, CONTEXT)

    [item] = table.values()
    assert item["EventId"] == {"S": "request-1"}
    assert item["Time"]["S"].endswith("Z")


@pytest.mark.parametrize(
    ("delivered", "wrong"),
    [
        ({}, "the event is no object"),
        ({"rule": "x", "event": "text"}, "the event is no object"),
        ({"event": EVENT}, "rule is missing"),
        ({"rule": "x", "event": {**EVENT, "source": ""}}, "source is missing"),
        ({"rule": "x", "event": {**EVENT, "id": 7}}, "id is missing"),
        ({"rule": "x", "event": {"source": "s"}}, "detail-type is missing"),
    ],
)
def test_what_is_no_event_is_an_error_so_that_the_dead_letter_queue_gets_it(
    delivered: dict[str, Any], wrong: str, table: dict[tuple[str, str], Any]
) -> None:
    with pytest.raises(records.InvalidEventError, match=wrong):
        handler.handler(delivered, CONTEXT)

    assert table == {}


def test_the_endpoint_records_what_is_posted_with_the_key(table: dict[tuple[str, str], Any]) -> None:
    assert answer(request(json.dumps(EVENT))) == 204
    encoded = base64.b64encode(json.dumps({**EVENT, "id": "e2"}).encode()).decode()
    assert answer(request(encoded, encoded=True)) == 204

    assert set(table) == {("e1", "endpoint"), ("e2", "endpoint")}


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (request("{}", path="/nowhere"), 404),
        (request(method="GET"), 405),
        (request(), 400),
        (request("{"), 400),
        (request("[]"), 400),
        (request("{}"), 400),
        (request("!", encoded=True), 400),
    ],
)
def test_the_endpoint_refuses_for_good_what_a_second_attempt_would_not_mend(
    made: dict[str, Any], status: int, table: dict[tuple[str, str], Any]
) -> None:
    assert answer(made) == status
    assert table == {}


@pytest.mark.parametrize(
    "made",
    [
        request("{}", key=None),
        request("{}", key=""),
        request("{}", key="wrong"),
        request("{}", key="ключ"),
        request("{", key="wrong", path="/nowhere", method="GET"),
    ],
)
def test_who_lacks_the_key_learns_nothing_and_eventbridge_tries_again(
    made: dict[str, Any], table: dict[tuple[str, str], Any]
) -> None:
    assert answer(made) == 401
    assert table == {}


@pytest.mark.parametrize(("module", "made"), [(handler, {"rule": "x", "event": EVENT}), (endpoint, request("{}"))])
def test_an_invocation_is_traced_with_its_calls_and_not_with_its_event(
    module: Any, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    monkeypatch.setattr("tracing.daemon.send", sent.append)

    module.handler(made, CONTEXT)

    [segment] = [json.loads(datagram.split(b"\n", 1)[1]) for datagram in sent]
    assert (segment["trace_id"], segment["parent_id"]) == ("1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8")
    assert not any(text in str(sent) for text in ("A1", "right"))


def test_a_table_that_fails_is_an_error_so_that_eventbridge_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "dynamodb", SimpleNamespace(put_item=mock.Mock(side_effect=RuntimeError("throttled"))))

    with pytest.raises(RuntimeError, match="throttled"):
        answer(request(json.dumps(EVENT)))


def test_the_key_is_read_once_a_minute_and_a_rotated_one_is_let_in_then(secret: SimpleNamespace) -> None:
    assert [answer(request("{}")) for _ in range(3)] == [400, 400, 400]
    assert secret.reads == 1

    secret.key = "rotated"
    assert answer(request("{}", key="rotated")) == 401
    secret.now += 60
    assert answer(request("{}", key="rotated")) == 400
    assert answer(request("{}", key="right")) == 401
    assert secret.reads == 2


def test_no_line_of_the_log_holds_an_event_or_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    handler.logger.registered_handler.setStream(sys.stdout)  # type: ignore[attr-defined]
    endpoint.logger.registered_handler.setStream(sys.stdout)  # type: ignore[attr-defined]

    handler.handler({"rule": "OrderPlaced", "event": EVENT}, CONTEXT)
    answer(request(json.dumps(EVENT)))
    answer(request(json.dumps(EVENT), key="guess"))

    printed = capsys.readouterr().out
    assert [json.loads(line)["message"] for line in printed.splitlines()] == [
        "Event recorded",
        "Request answered",
        "Request answered",
    ]
    assert not any(secret in printed for secret in ("A1", "für", "right", "guess"))


@pytest.mark.parametrize(("module", "variable"), [("handler", "TABLE_NAME"), ("endpoint", "API_KEY_SECRET")])
def test_without_its_variable_a_function_does_not_start(module: str, variable: str) -> None:
    environment = {**ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": PATH, variable: ""}

    started = subprocess.run(
        [sys.executable, "-c", f"import runtime.{module}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"RuntimeError: {variable} is not set" in started.stderr


def test_starting_loads_no_boto3() -> None:
    environment = {**ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": PATH}
    code = "import sys, runtime.handler, runtime.endpoint; print({'boto3', 'aws_cdk', 'lambda_src'} & set(sys.modules))"

    assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).strip() == "set()"
