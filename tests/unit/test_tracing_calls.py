"""Calls by HTTP and of AWS become subsegments, take the trace along, and give away nothing that is secret."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
import urllib3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from tracing import aws_calls, http_calls, tracer
from tracing.harmless import harmless

from tests.unit.fake_daemon import ROOT, SAMPLED, FakeDaemon, invoked, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNSAMPLED = SAMPLED.replace("Sampled=1", "Sampled=0")
LINEAGE = SAMPLED.partition(";Lineage=")[2]
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def xray(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDaemon]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "SECRET")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with invoked(monkeypatch) as fake:
        yield fake


class Server(ThreadingHTTPServer):
    """Answers with the status that the path ends in, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.headers: list[dict[str, list[str]]] = []
        self.bodies: list[bytes] = []
        self.answer = b"{}"

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def trace_headers(self) -> list[str]:
        """Return the only trace header of every request."""
        headers = [headers["x-amzn-trace-id"] for headers in self.headers]
        assert all(len(values) == 1 for values in headers), headers
        return [value for [value] in headers]


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.headers.append({name.lower(): self.headers.get_all(name, []) for name in self.headers})
        server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        last = self.path.partition("?")[0].rpartition("/")[2]
        status = int(last) if last.isdecimal() else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/200?token=SECRET")
        self.send_header("x-amzn-RequestId", "the-request")
        self.send_header("Content-Length", str(len(server.answer)))
        self.end_headers()
        self.wfile.write(server.answer)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    threading.Thread(target=started.serve_forever, args=(0.05,), daemon=True).start()
    yield started
    started.shutdown()
    started.server_close()


def run(work: Callable[[], object]) -> object:
    @tracer.handler
    def handler(event: object, context: object) -> object:  # noqa: ARG001
        return work()

    return handler(None, None)


def by_http_client(url: str) -> int:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host)
    connection.request("GET", f"/{path}", headers={"Authorization": "SECRET"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def by_urllib(url: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "SECRET"})) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def by_urllib3(url: str) -> int:
    with urllib3.PoolManager() as pool:
        return pool.request("GET", url, headers={"Authorization": "SECRET"}, retries=False).status


CLIENTS = [by_http_client, by_urllib, by_urllib3]


@pytest.mark.parametrize("call", CLIENTS)
@pytest.mark.parametrize(
    ("status", "flags"), [(200, set()), (404, {"error"}), (429, {"error", "throttle"}), (503, {"fault"})]
)
def test_an_http_call_is_one_subsegment_that_the_server_goes_on_from(
    xray: FakeDaemon, server: Server, call: Callable[[str], int], status: int, flags: set[str]
) -> None:
    assert run(lambda: call(f"{server.origin}/path/{status}?token=SECRET")) == status

    made, handler = xray.received()
    assert made["parent_id"] == handler["id"]
    assert (made["name"], made["namespace"]) == ("127.0.0.1", "remote")
    assert made["http"] == {
        "request": {"method": "GET", "url": f"{server.origin}/path/{status}"},
        "response": {"status": status, "content_length": 2},
    }
    assert made.keys() & {"error", "throttle", "fault"} == flags
    assert server.trace_headers == [f"Root={ROOT};Parent={made['id']};Sampled=1;Lineage={LINEAGE}"]
    assert "SECRET" not in json.dumps(made)


@pytest.mark.parametrize("call", CLIENTS)
def test_an_http_call_inside_a_step_belongs_to_it(xray: FakeDaemon, server: Server, call: Callable[[str], int]) -> None:
    def work() -> None:
        with tracer.subsegment("step"):
            call(server.origin)

    run(work)

    received = xray.received()
    assert named(received, "127.0.0.1")["parent_id"] == named(received, "step")["id"]


@pytest.mark.parametrize("call", CLIENTS)
@pytest.mark.parametrize("header", [UNSAMPLED, None])
def test_an_http_call_that_is_not_sampled_sends_nothing_and_keeps_the_header(
    xray: FakeDaemon, server: Server, monkeypatch: pytest.MonkeyPatch, call: Callable[[str], int], header: str | None
) -> None:
    if header:
        monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    else:
        monkeypatch.delenv("_X_AMZN_TRACE_ID")

    run(lambda: call(server.origin))

    [headers] = server.headers
    assert headers.get("x-amzn-trace-id") == ([header] if header else None)
    assert xray.received() == []


@pytest.mark.parametrize("call", CLIENTS)
def test_an_http_call_that_gets_no_answer_is_a_fault_with_its_cause(
    xray: FakeDaemon, call: Callable[[str], int]
) -> None:
    with pytest.raises((OSError, urllib3.exceptions.HTTPError)):
        run(lambda: call(f"http://{NOWHERE}/path?token=SECRET"))

    made, _ = xray.received()
    assert made["fault"] is True
    assert made["cause"]["exceptions"][0]["stack"]
    assert "SECRET" not in json.dumps(made)


def test_a_connection_of_urllib3_that_fails_before_any_request_is_a_fault_too(xray: FakeDaemon) -> None:
    with pytest.raises(urllib3.exceptions.HTTPError), urllib3.PoolManager() as pool:
        run(lambda: pool.request("GET", f"https://{NOWHERE}/path?token=SECRET", retries=1))

    made, handler = xray.received()
    assert made["http"]["request"]["url"] == f"https://{NOWHERE}/path"
    assert made["fault"] is handler["fault"] is True
    assert "SECRET" not in json.dumps([made, handler])


def test_a_redirect_of_urllib_is_a_call_of_its_own(xray: FakeDaemon, server: Server) -> None:
    run(lambda: by_urllib(f"{server.origin}/302"))

    first, second, _ = xray.received()
    assert [call["http"]["response"]["status"] for call in (first, second)] == [302, 200]
    assert len(set(server.trace_headers)) == 2


def test_a_connection_that_is_used_again_makes_a_subsegment_of_each_request(xray: FakeDaemon, server: Server) -> None:
    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
        for status in (200, 404):
            connection.request("POST", f"/{status}", body=b"SECRET")
            connection.getresponse().read()
        connection.close()

    run(work)

    first, second, _ = xray.received()
    assert [call["http"]["response"]["status"] for call in (first, second)] == [200, 404]
    assert server.bodies == [b"SECRET", b"SECRET"]


def test_a_call_that_has_a_header_already_is_left_alone(xray: FakeDaemon, server: Server) -> None:
    theirs = {"x-amzn-trace-id": UNSAMPLED}

    def work() -> None:
        with urllib3.PoolManager() as pool:
            pool.request("GET", server.origin, headers=theirs)
        urllib.request.urlopen(urllib.request.Request(server.origin, headers=theirs)).close()  # noqa: S310

    run(work)

    assert server.trace_headers == [UNSAMPLED, UNSAMPLED]
    assert [document["name"] for document in xray.received()] == ["handler"]


@pytest.mark.parametrize("call", CLIENTS)
def test_whatever_fails_in_tracing_an_http_call_does_not(
    xray: FakeDaemon, server: Server, monkeypatch: pytest.MonkeyPatch, call: Callable[[str], int]
) -> None:
    monkeypatch.setattr(http_calls, "_begin", lambda *_: 1 / 0)

    assert run(lambda: call(server.origin)) == 200
    assert [document["name"] for document in xray.received()] == ["handler"]


@pytest.mark.parametrize("broken", ["_has_header", "_server", "_answered"])
@pytest.mark.parametrize("call", CLIENTS)
@pytest.mark.usefixtures("xray")
def test_whatever_fails_around_an_http_call_the_call_does_not(
    server: Server, monkeypatch: pytest.MonkeyPatch, call: Callable[[str], int], broken: str
) -> None:
    monkeypatch.setattr(http_calls, broken, harmless(lambda *_: 1 / 0) if broken == "_answered" else lambda *_: 1 / 0)

    assert run(lambda: call(server.origin)) == 200


def client(service: str, server: Server | None = None, attempts: int = 1) -> Any:
    return botocore.session.get_session().create_client(
        service,
        region_name="eu-west-1",
        endpoint_url=server.origin if server else f"http://{NOWHERE}",
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"}, proxies={}, parameter_validation=False
        ),
    )


def test_a_call_of_aws_is_one_subsegment_that_the_service_goes_on_from(xray: FakeDaemon, server: Server) -> None:
    run(lambda: client("dynamodb", server).get_item(TableName="Orders", Key={"OrderId": {"S": "SECRET"}}))

    made, handler = xray.received()
    assert made["parent_id"] == handler["id"]
    assert (made["name"], made["namespace"]) == ("DynamoDB", "aws")
    assert made["aws"] == {
        "operation": "GetItem",
        "region": "eu-west-1",
        "request_id": "the-request",
        "retries": 0,
        "table_name": "Orders",
    }
    assert made["http"] == {"response": {"status": 200}}
    assert server.trace_headers == [f"Root={ROOT};Parent={made['id']};Sampled=1;Lineage={LINEAGE}"]
    assert "SECRET" not in json.dumps(made)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "resource"),
    [
        ("dynamodb", "batch_write_item", {"RequestItems": {"A": []}}, {"table_name": "A"}),
        ("dynamodb", "batch_get_item", {"RequestItems": {"A": {}, "B": {}}}, {"table_names": ["A", "B"]}),
        ("sqs", "receive_message", {"QueueUrl": "https://q/1/A"}, {"queue_url": "https://q/1/A"}),
        ("sns", "publish", {"TopicArn": "arn:a:b", "Message": "SECRET"}, {"topic_arn": "arn:a:b"}),
        ("lambda", "invoke", {"FunctionName": "A", "Payload": b"SECRET"}, {"function_name": "A"}),
        ("secretsmanager", "get_secret_value", {"SecretId": "SECRET"}, {}),
    ],
)  # fmt: skip
def test_the_resource_is_named_and_no_other_parameter(  # noqa: PLR0917
    xray: FakeDaemon, server: Server, service: str, operation: str, parameters: Any, resource: dict[str, Any]
) -> None:
    server.answer = b"<PublishResponse><PublishResult/></PublishResponse>" if service == "sns" else b"{}"

    run(lambda: getattr(client(service, server), operation)(**parameters))

    made, _ = xray.received()
    assert made["aws"].items() >= resource.items()
    assert made["aws"].keys() - resource.keys() <= {"operation", "region", "request_id", "retries"}
    assert "SECRET" not in json.dumps(made)


@pytest.mark.parametrize(
    ("status", "code", "flags"),
    [
        (400, "ResourceNotFoundException", {"error"}),
        (400, "ProvisionedThroughputExceededException", {"error", "throttle"}),
        (400, "ThrottlingException", {"error", "throttle"}),
        (500, "InternalServerError", {"fault"}),
    ],
)
def test_an_error_that_aws_answers_has_its_flags_and_its_code(  # noqa: PLR0917
    xray: FakeDaemon, server: Server, monkeypatch: pytest.MonkeyPatch, status: int, code: str, flags: set[str]
) -> None:
    server.answer = json.dumps({"__type": f"com.amazonaws#{code}", "message": "Not now"}).encode()
    monkeypatch.setattr(Answer, "parse_request", answering(status))

    with pytest.raises(ClientError):
        run(lambda: client("dynamodb", server).get_item(TableName="Orders", Key={"OrderId": {"S": "SECRET"}}))

    made, handler = xray.received()
    assert made["http"]["response"]["status"] == status
    assert made.keys() & {"error", "throttle", "fault"} == flags
    [exception] = made["cause"]["exceptions"]
    assert (exception["type"], exception["message"], exception["remote"]) == (code, "Not now", True)
    assert handler["cause"]["exceptions"][0]["stack"]


def answering(status: int) -> Callable[[Answer], bool]:
    """Answer every request with this status, whatever its path."""
    parse_request = Answer.parse_request

    def parsed(self: Answer) -> bool:
        answered = parse_request(self)
        self.path = f"/{status}"
        return answered

    return parsed


def test_retries_are_counted_in_one_subsegment(
    xray: FakeDaemon, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "parse_request", answering(500))

    with pytest.raises(ClientError):
        run(lambda: client("dynamodb", server, attempts=2).list_tables())

    made, _ = xray.received()
    assert made["aws"]["retries"] == 1
    assert len(server.trace_headers) == 2


def test_a_service_that_cannot_be_reached_is_a_fault_with_its_cause(xray: FakeDaemon) -> None:
    with pytest.raises(EndpointConnectionError):
        run(lambda: client("dynamodb").list_tables())

    made, _ = xray.received()
    assert (made["name"], made["fault"], made["aws"]["retries"]) == ("DynamoDB", True, 0)
    assert made["cause"]["exceptions"][0]["type"] == "EndpointConnectionError"


QUEUE = "http://127.0.0.1/1/A"


@pytest.mark.parametrize("header", [SAMPLED, UNSAMPLED])
def test_messages_that_are_sent_take_the_header_to_their_consumer(
    xray: FakeDaemon, server: Server, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    theirs = {"AWSTraceHeader": {"DataType": "String", "StringValue": "theirs"}}
    entries = [
        {"Id": "a", "MessageBody": "SECRET"},
        {"Id": "b", "MessageBody": "SECRET", "MessageSystemAttributes": theirs},
    ]
    before = json.dumps(entries)

    def work() -> None:
        sqs = client("sqs", server)
        sqs.send_message(QueueUrl=QUEUE, MessageBody="SECRET")
        sqs.send_message_batch(QueueUrl=QUEUE, Entries=entries)

    run(work)

    one, batch = map(json.loads, server.bodies)
    sent = [one, *batch["Entries"]]
    headers = [message["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"] for message in sent]
    assert headers == [*server.trace_headers, "theirs"]
    assert json.dumps(entries) == before
    assert "SECRET" not in json.dumps(xray.received())


def test_an_aws_call_that_is_not_sampled_sends_nothing_and_keeps_the_header(
    xray: FakeDaemon, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", UNSAMPLED)

    run(lambda: client("dynamodb", server).list_tables())

    assert server.trace_headers == [UNSAMPLED]
    assert xray.received() == []


def test_a_client_that_was_made_before_is_traced_once_it_is_instrumented(
    xray: FakeDaemon, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(botocore, "_INITIALIZERS", [])
        older = client("dynamodb", server)

    run(older.list_tables)
    assert [document["name"] for document in xray.received()] == ["handler"]

    assert tracer.instrument(tracer.instrument(older)) is older
    run(older.list_tables)
    assert [document["name"] for document in xray.received()] == ["DynamoDB", "handler"]


@pytest.mark.parametrize("broken", ["Subsegment", "_resource"])
def test_whatever_fails_in_tracing_an_aws_call_does_not(
    xray: FakeDaemon, server: Server, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(aws_calls, broken, lambda *_, **__: 1 / 0)

    assert run(client("dynamodb", server).list_tables)
    assert [document["name"] for document in xray.received()] == ["handler"]


def test_an_answer_without_any_metadata_does_not_fail_the_call(xray: FakeDaemon) -> None:
    made = client("dynamodb")
    answer = AWSResponse(NOWHERE, 200, {}, None)
    made.meta.events.register("before-call.dynamodb.ListTables", lambda **_: (answer, {"TableNames": []}))

    assert run(made.list_tables) == {"TableNames": []}
    assert [document["name"] for document in xray.received()] == ["handler"]


def test_a_presigned_url_is_no_call(xray: FakeDaemon) -> None:
    run(lambda: client("sqs").generate_presigned_url("receive_message", Params={"QueueUrl": QUEUE}))

    assert [document["name"] for document in xray.received()] == ["handler"]
