"""The emulator's services trace as AWS's do: segments reach the daemon's port, and the header travels with the request.

An emulator of these tests' own, whose segments a socket here receives: nothing of the X-Ray service takes part.
"""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3

from lab.project import ROOT, python_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HTTP = urllib3.PoolManager(timeout=30, retries=False)
NAME = "X-Amzn-Trace-Id"
ROLE = "arn:aws:iam::000000000000:role/traced"
ROOT_ID = "1-5759e988-bd862e3fe1be46a994272793"
SAMPLED = f"Root={ROOT_ID};Parent=53995c3f42cd8ad8;Sampled=1"
UNSAMPLED = f"Root={ROOT_ID};Parent=53995c3f42cd8ad8;Sampled=0"

CODE = """
import json, os, boto3

def front(event, context):
    body = json.loads(event.get("body") or "{}") if isinstance(event, dict) else {}
    if body.get("fail") == "fault":
        raise ValueError("as asked")
    header = os.environ["_X_AMZN_TRACE_ID"]
    if os.environ.get("TOPIC_ARN"):
        boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message="an order")
    told = {"header": header, "event": (event.get("headers") or {}) if isinstance(event, dict) else {}}
    return {"statusCode": body.get("status", 200), "body": json.dumps(told)}

def store(event, context):
    return {"batchItemFailures": []}
"""


ALWAYS = {
    "RuleName": "always", "Priority": 9, "ReservoirSize": 0, "FixedRate": 1.0, "ServiceName": "Orders/v1",
    "ServiceType": "AWS::ApiGateway::Stage", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "ResourceARN": "*",
}  # fmt: skip
HEALTH = {
    **ALWAYS, "RuleName": "health", "Priority": 1, "FixedRate": 0.0, "HTTPMethod": "GET", "URLPath": "*/health",
}  # fmt: skip


@dataclass
class Rules:
    """A stand-in for the X-Ray service's API."""

    rules: list[dict[str, Any]] = field(default_factory=lambda: [ALWAYS, HEALTH])
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        if operation == "GetSamplingRules":
            return {"SamplingRuleRecords": [{"SamplingRule": rule} for rule in self.rules]}
        if operation.endswith("Group"):
            name = parameters.get("GroupName", "orders")
            return {"Group": {"GroupARN": f"arn:aws:xray:us-east-1:000000000000:group/{name}/1"}}
        name = parameters.get("SamplingRule", {}).get("RuleName", "health")
        rule = {"RuleARN": f"arn:aws:xray:us-east-1:000000000000:sampling-rule/{name}"}
        return {"SamplingRuleRecord": {"SamplingRule": rule}}


@dataclass
class Traced:
    """An emulator, and the segments that came from it."""

    endpoint: str
    socket: socket.socket
    xray: Rules
    outputs: dict[str, str] = field(default_factory=dict)
    documents: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="000000000000",
            aws_secret_access_key="test",
        )

    def request(self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        """Send a request to the stage; return the status, the headers and the body."""
        url = f"{self.endpoint}/restapis/{self.outputs['ApiId']}/v1/_user_request_{path}"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        response = HTTP.request(method, url, body=json.dumps(body or {}), headers=sent)
        return response.status, response.headers, json.loads(response.data)

    def segments(self, trace_id: str, count: int, seconds: float = 20) -> dict[str, dict[str, Any]]:
        """Wait for a trace's documents; return them by origin, or by name if they have none."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and len(self.of(trace_id)) < count:
            self._receive(0.2)
        return {str(document.get("origin", document["name"])): document for document in self.of(trace_id)}

    def of(self, trace_id: str) -> list[dict[str, Any]]:
        return [document for document in self.documents if document["trace_id"] == trace_id]

    def settle(self, seconds: float = 1.5) -> None:
        """Take in whatever is still on its way."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._receive(0.2)

    def wait(self, found: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for document in self.documents:
                if found(document):
                    return document
            self._receive(0.2)
        raise AssertionError(f"none of {len(self.documents)} documents is it")

    def _receive(self, seconds: float) -> None:
        self.socket.settimeout(seconds)
        try:
            datagram = self.socket.recv(65536)
        except TimeoutError:
            return
        preamble, _, document = datagram.partition(b"\n")
        assert json.loads(preamble) == {"format": "json", "version": 1}
        self.documents.append(json.loads(document))


@pytest.fixture(scope="module")
def xray() -> Iterator[tuple[str, Rules]]:
    rules = Rules()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parameters = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = json.dumps(rules.answer(self.path.strip("/"), parameters)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", rules
    server.shutdown()


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, xray: tuple[str, Rules]) -> Iterator[Traced]:
    home = tmp_path_factory.mktemp("traced")
    daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    daemon.bind(("127.0.0.1", 0))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(home),
        "LAMBDA_PYTHON": str(python_of("lambda-runtime")),
        "EMULATOR_RECORD": str(home / "record"),
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
        "AWS_ENDPOINT_URL_XRAY": xray[0],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [python_of("emulator"), "-I", ROOT / "lab" / "emulator_server.py"],
            env={**kept, **settings}, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        emulator = Traced(f"http://127.0.0.1:{port}", daemon, xray[1])
        _wait_until_it_answers(emulator.endpoint, process, home / "log")
        _deploy(emulator)
        yield emulator
    finally:
        process.terminate()
        process.wait(60)
        daemon.close()


def _wait_until_it_answers(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            HTTP.request("GET", f"{endpoint}/_ministack/health")
            return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the emulator did not answer")


def _function(traced: Traced, name: str, *, handler: str = "front", mode: str = "Active", **environment: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("traced_code.py", CODE)
    made = traced.client("lambda").create_function(
        FunctionName=name, Role=ROLE, Runtime="python3.14", Handler=f"traced_code.{handler}", Timeout=30,
        Code={"ZipFile": archive.getvalue()}, TracingConfig={"Mode": mode}, Environment={"Variables": environment},
    )  # fmt: skip
    return str(made["FunctionArn"])


def _deploy(traced: Traced) -> None:
    """API -> front -> topic -> queue -> store, as the section has it."""
    sns, sqs, api = traced.client("sns"), traced.client("sqs"), traced.client("apigateway")
    topic = sns.create_topic(Name="placed", Attributes={"TracingConfig": "Active"})["TopicArn"]
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    queue = "arn:aws:sqs:us-east-1:000000000000:orders"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    front = _function(traced, "front", TOPIC_ARN=topic)
    _function(traced, "store", handler="store")
    traced.client("lambda").create_event_source_mapping(
        FunctionName="store", EventSourceArn=queue, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    api_id = api.create_rest_api(name="Orders")["id"]
    root = api.get_resources(restApiId=api_id)["items"][0]["id"]
    resource = api.create_resource(restApiId=api_id, parentId=root, pathPart="{proxy+}")["id"]
    api.put_method(restApiId=api_id, resourceId=resource, httpMethod="ANY", authorizationType="NONE")
    api.put_integration(
        restApiId=api_id, resourceId=resource, httpMethod="ANY", type="AWS_PROXY", integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{front}/invocations",
    )  # fmt: skip
    deployment = api.create_deployment(restApiId=api_id)["id"]
    api.create_stage(restApiId=api_id, stageName="v1", deploymentId=deployment, tracingEnabled=True)
    traced.outputs.update(ApiId=api_id, TopicArn=topic, QueueUrl=url, FrontArn=front)


def _root_of(header: str) -> str:
    return dict(part.split("=") for part in header.split(";"))["Root"]


def _parent_of(header: str) -> str:
    return dict(part.split("=") for part in header.split(";"))["Parent"]


def _invoke(traced: Traced, name: str, header: str | None = None) -> dict[str, Any]:
    client = traced.client("lambda")
    if header:
        client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(NAME, header))
    return dict(json.loads(client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read()))


def test_one_request_is_one_trace_in_the_right_order(traced: Traced) -> None:
    traced.documents.clear()
    status, headers, body = traced.request("POST", "/orders", {})
    assert status == 200
    root = _root_of(headers[NAME])
    found = traced.segments(root, 6)

    stage, service, function = (
        found[origin] for origin in ("AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function")
    )
    assert stage["name"] == "Orders/v1"
    assert "parent_id" not in stage
    assert stage["http"]["request"]["url"].endswith("/v1/orders")
    assert stage["http"]["response"]["status"] == 200
    assert stage["aws"]["api_gateway"]["stage"] == "v1"
    [call] = stage["subsegments"]
    assert (call["name"], call["namespace"]) == ("Lambda", "aws")
    assert (service["name"], service["parent_id"]) == ("front", call["id"])
    assert (function["name"], function["parent_id"]) == ("front", service["id"])
    assert _parent_of(body["header"]) == function["id"]
    assert _root_of(body["event"][NAME]) == root

    topic, delivery, queue = (found[name] for name in ("AWS::SNS", "SQS", "AWS::SQS::Queue"))
    assert (topic["name"], topic["parent_id"]) == ("placed", function["id"])
    assert (delivery["type"], delivery["parent_id"]) == ("subsegment", topic["id"])
    assert (queue["name"], queue["parent_id"]) == (traced.outputs["QueueUrl"], delivery["id"])
    for document in found.values():
        assert 0 < document["start_time"] <= document["end_time"]
        assert not document.get("error", False)


def test_the_consumers_trace_is_linked_to_the_senders(traced: Traced) -> None:
    traced.documents.clear()
    _, headers, _ = traced.request("POST", "/orders", {})
    root = _root_of(headers[NAME])
    consumer = traced.wait(lambda document: root in [link["trace_id"] for link in document.get("links", [])])
    assert consumer["trace_id"] != root
    delivery = traced.segments(root, 6)["SQS"]
    kind = {"aws.xray.reserved.reference_type": "parent"}
    assert consumer["links"] == [{"trace_id": root, "id": delivery["id"], "attributes": kind}]
    assert consumer["origin"] == "AWS::Lambda"
    assert {document["origin"] for document in traced.segments(consumer["trace_id"], 2).values()} == {
        "AWS::Lambda",
        "AWS::Lambda::Function",
    }


def test_a_header_that_says_not_sampled_leaves_no_segment_and_goes_on(traced: Traced) -> None:
    traced.settle()
    traced.documents.clear()
    status, headers, body = traced.request("POST", "/orders", {}, X_Amzn_Trace_Id=UNSAMPLED)
    assert status == 200
    assert _root_of(headers[NAME]) == _root_of(body["header"]) == ROOT_ID
    assert headers[NAME].endswith("Sampled=0")
    assert body["header"].endswith("Sampled=0")
    traced.settle(3)
    assert traced.documents == []


def test_the_rules_of_the_service_decide(traced: Traced) -> None:
    headers = [traced.request(method, path)[1] for method, path in [("GET", "/health"), ("POST", "/orders")] * 3]
    assert [header[NAME][-1] for header in headers] == ["0", "1", "0", "1", "0", "1"]


@pytest.mark.parametrize(
    ("body", "status", "flags"),
    [
        ({"status": 404}, 404, {"error"}),
        ({"status": 429}, 429, {"error", "throttle"}),
        ({"fail": "fault"}, 502, {"fault"}),
    ],
)
def test_failures_show_as_such(traced: Traced, body: dict[str, Any], status: int, flags: set[str]) -> None:
    answered, headers, _ = traced.request("POST", "/orders", body, X_Amzn_Trace_Id=SAMPLED)
    found = traced.wait(lambda document: document.get("http", {}).get("response", {}).get("status") == status)
    assert answered == status
    assert {flag for flag in ("error", "throttle", "fault") if found.get(flag)} == flags
    assert _root_of(headers[NAME]) == ROOT_ID


def test_a_function_that_raises_has_a_fault(traced: Traced) -> None:
    traced.documents.clear()
    _, headers, _ = traced.request("POST", "/orders", {"fail": "fault"})
    found = traced.segments(_root_of(headers[NAME]), 3)
    assert found["AWS::Lambda"]["fault"]
    assert found["AWS::Lambda::Function"]["fault"]
    assert found["AWS::ApiGateway::Stage"]["subsegments"][0]["fault"]


def test_a_throttled_invocation_has_no_run(traced: Traced) -> None:
    _function(traced, "busy")
    traced.client("lambda").put_function_concurrency(FunctionName="busy", ReservedConcurrentExecutions=0)
    client = traced.client("lambda")
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="busy")
    throttled = traced.wait(lambda document: document["name"] == "busy")
    assert (throttled["origin"], throttled["throttle"]) == ("AWS::Lambda", True)
    traced.settle()
    assert not [one for one in traced.of(throttled["trace_id"]) if one["origin"] == "AWS::Lambda::Function"]


def test_a_function_that_passes_through_records_only_what_came_sampled(traced: Traced) -> None:
    _function(traced, "quiet", mode="PassThrough")
    traced.documents.clear()
    assert _invoke(traced, "quiet")["body"].count("Sampled=0") == 1
    assert _root_of(json.loads(_invoke(traced, "quiet", UNSAMPLED)["body"])["header"]) == ROOT_ID
    traced.settle()
    assert not [one for one in traced.documents if one["name"] == "quiet"]
    _invoke(traced, "quiet", SAMPLED)
    assert traced.wait(lambda document: document["name"] == "quiet")["parent_id"] == "53995c3f42cd8ad8"


def test_an_asynchronous_invocation_keeps_the_header(traced: Traced) -> None:
    _function(traced, "later", mode="PassThrough")
    client = traced.client("lambda")
    client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(NAME, SAMPLED))
    client.invoke(FunctionName="later", InvocationType="Event")
    assert traced.wait(lambda document: document["name"] == "later")["trace_id"] == ROOT_ID


def test_a_function_url_keeps_the_header(traced: Traced) -> None:
    _function(traced, "behind", mode="PassThrough")
    url = traced.client("lambda").create_function_url_config(FunctionName="behind", AuthType="NONE")["FunctionUrl"]
    answers = {given: HTTP.request("GET", url, headers={NAME: given}) for given in (SAMPLED, UNSAMPLED)}
    for given, answer in answers.items():
        told = json.loads(answer.data)
        assert _root_of(told["header"]) == ROOT_ID
        assert told["event"][NAME.lower()] == f"Root={ROOT_ID}"
        assert answer.headers[NAME].startswith(f"{told['header']};Lineage=")
        assert told["header"].endswith(given[-1])
    assert traced.wait(lambda document: document["name"] == "behind")["trace_id"] == ROOT_ID


def test_requests_at_one_time_have_each_their_own_trace(traced: Traced) -> None:
    def asked(number: int) -> tuple[str, str, str]:
        given = f"1-5759e988-{number:024x}"
        status, headers, body = traced.request("POST", "/orders", X_Amzn_Trace_Id=f"Root={given};Sampled={number % 2}")
        assert status == 200
        assert headers[NAME][-1] == body["header"][-1] == str(number % 2)
        return given, _root_of(headers[NAME]), _root_of(body["header"])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(asked, range(1, 33)))
    assert all(given == answered == found for given, answered, found in answers)


@pytest.mark.parametrize(
    "given", ["", ";;;=", "Root=", f"Root={ROOT_ID};Parent=;Sampled=", "Sampled=1", "Root=1-zz", "\xff" * 9, "x" * 6000]
)
def test_whatever_a_client_sends_as_a_header_its_request_is_answered(traced: Traced, given: str) -> None:
    status, headers, body = traced.request("POST", "/orders", X_Amzn_Trace_Id=given)
    assert status == 200
    assert _root_of(headers[NAME]) == _root_of(body["header"])
    assert headers[NAME][-1] in "01"


def test_a_message_with_an_odd_header_reaches_its_consumer(traced: Traced) -> None:
    sqs, url = traced.client("sqs"), traced.outputs["QueueUrl"]
    odd = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=;Parent=?;;="}}
    sqs.send_message(QueueUrl=url, MessageBody="odd", MessageSystemAttributes=odd)
    deadline = time.monotonic() + 30
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    while time.monotonic() < deadline:
        left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
        if set(left.values()) == {"0"}:
            return
        time.sleep(0.2)
    raise AssertionError(f"still in the queue: {left}")


def test_a_topic_and_a_bus_hand_the_header_to_functions(traced: Traced) -> None:
    arn = _function(traced, "told", mode="PassThrough")
    sns, events = traced.client("sns"), traced.client("events")
    topic = sns.create_topic(Name="plain")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="told", Targets=[{"Id": "told", "Arn": arn}])
    for client in (sns, events):
        client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(NAME, SAMPLED))
    sns.publish(TopicArn=topic, Message="x")
    traced.wait(lambda document: document["name"] == "told" and document["trace_id"] == ROOT_ID)
    traced.documents.clear()
    events.put_events(Entries=[{"Source": "shop", "DetailType": "x", "Detail": "{}"}])
    traced.wait(lambda document: document["name"] == "told" and document["trace_id"] == ROOT_ID)


def test_a_queue_keeps_the_senders_header(traced: Traced) -> None:
    sqs = traced.client("sqs")
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(NAME, SAMPLED))
    own = SAMPLED.replace("53995c3f42cd8ad8", "0000000000000001")
    sqs.send_message(QueueUrl=url, MessageBody="by request")
    sqs.send_message(
        QueueUrl=url, MessageBody="by attribute",
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": own}},
    )  # fmt: skip
    received = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["AWSTraceHeader"]
    )["Messages"]
    headers = {message["Body"]: message["Attributes"]["AWSTraceHeader"] for message in received}
    assert headers == {"by request": SAMPLED, "by attribute": own}


TEMPLATE = {
    "Resources": {
        "Orders": {
            "Type": "AWS::XRay::Group",
            "Properties": {
                "GroupName": "orders",
                "FilterExpression": "fault",
                "InsightsConfiguration": {"InsightsEnabled": True},
            },
        },
        "Health": {
            "Type": "AWS::XRay::SamplingRule",
            "Properties": {
                "SamplingRule": {"RuleName": "health", "Priority": 1, "FixedRate": "0.5", "Version": 1, "URLPath": "*"}
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "made", "TracingConfig": "Active"}},
    },
    "Outputs": {"Group": {"Value": {"Ref": "Orders"}}, "Rule": {"Value": {"Fn::GetAtt": ["Health", "RuleARN"]}}},
}


def test_cloudformation_makes_groups_and_rules_changes_and_deletes_them(traced: Traced) -> None:
    cloudformation, calls = traced.client("cloudformation"), traced.xray.calls

    def made_of(names: set[str]) -> list[tuple[str, dict[str, Any]]]:
        return [call for call in calls if call[0] in names]

    cloudformation.create_stack(StackName="traces", TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="traces", WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName="traces")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["Group"].endswith(":group/orders/1")
    assert outputs["Rule"].endswith(":sampling-rule/health")
    [(_, group)] = made_of({"CreateGroup"})
    assert group == {
        "GroupName": "orders", "FilterExpression": "fault", "InsightsConfiguration": {"InsightsEnabled": True}
    }  # fmt: skip
    [(_, rule)] = made_of({"CreateSamplingRule"})
    assert rule["SamplingRule"]["FixedRate"] == 0.5
    attributes = traced.client("sns").get_topic_attributes(TopicArn="arn:aws:sns:us-east-1:000000000000:made")
    assert attributes["Attributes"]["TracingConfig"] == "Active"

    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Orders"]["Properties"]["FilterExpression"] = "error"
    changed["Resources"]["Health"]["Properties"]["SamplingRule"]["FixedRate"] = 1
    cloudformation.update_stack(StackName="traces", TemplateBody=json.dumps(changed))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="traces", WaiterConfig={"Delay": 1})
    assert made_of({"UpdateGroup"})[0][1]["FilterExpression"] == "error"
    assert made_of({"UpdateSamplingRule"})[0][1]["SamplingRuleUpdate"]["FixedRate"] == 1.0

    for kind, rule in (("Orders", False), ("Health", True)):
        properties = changed["Resources"][kind]["Properties"]
        (properties["SamplingRule"] if rule else properties)["RuleName" if rule else "GroupName"] = "renamed"
    cloudformation.update_stack(StackName="traces", TemplateBody=json.dumps(changed))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="traces", WaiterConfig={"Delay": 1})
    assert len(made_of({"CreateGroup"})) == len(made_of({"CreateSamplingRule"})) == 2
    assert len(made_of({"DeleteGroup"})) == len(made_of({"DeleteSamplingRule"})) == 1

    cloudformation.delete_stack(StackName="traces")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="traces", WaiterConfig={"Delay": 1})
    assert len(made_of({"DeleteGroup"})) == len(made_of({"DeleteSamplingRule"})) == 2
