"""AWS's own client works with the local X-Ray as it does with AWS's, and the process keeps what it was given."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from lab.xray.sampling import DEFAULT_RULE, SamplingRule

from .conftest import ROOT
from .test_emulator import Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEADER = b'{"format": "json", "version": 1}\n'


class Service:
    """The process on ports of its own, and clients of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen([sys.executable, "-m", "lab.xray", "--udp-port", "0", folder], cwd=ROOT)
        self.record = eventually(self._record)
        self.client: Any = boto3.client(
            "xray",
            endpoint_url=f"http://127.0.0.1:{self.record['port']}",
            region_name="us-east-1",
            aws_access_key_id="000000000000",
            aws_secret_access_key="test",
        )

    def _record(self) -> dict[str, int] | None:
        try:
            record: dict[str, int] = json.loads((self.folder / "process.json").read_text())
        except FileNotFoundError:
            return None
        return record if record["pid"] == self.process.pid else None

    def put(self, *documents: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.client.put_trace_segments(TraceSegmentDocuments=[json.dumps(one) for one in documents])
        unprocessed: list[dict[str, Any]] = answer["UnprocessedTraceSegments"]
        return unprocessed

    def send(self, document: dict[str, Any]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(HEADER + json.dumps(document).encode(), ("127.0.0.1", self.record["udp_port"]))

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        traces: list[dict[str, Any]] = self.client.batch_get_traces(TraceIds=[trace_id])["Traces"]
        return traces[0] if traces else None

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, str | None, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.record["port"], timeout=10)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["x-amzn-ErrorType"], json.loads(answer.read())

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


def eventually(ask: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return answer


def new_trace_id() -> str:
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def segment(trace_id: str, number: int = 1, ago: float = 1.0, **fields: Any) -> dict[str, Any]:
    now = time.time()
    return {
        "name": f"service-{number}",
        "id": f"{number:016x}",
        "trace_id": trace_id,
        "start_time": now - ago,
        "end_time": now - ago + 0.25,
        **fields,
    }


def minutes_around(service: Service) -> dict[str, datetime]:
    """Give the range of time in which everything of this test run is."""
    started = service.record["started"]
    return {
        "StartTime": datetime.fromtimestamp(started - 600, timezone.utc),
        "EndTime": datetime.fromtimestamp(started + 3600, timezone.utc),
    }


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == "InvalidRequestException"
    message: str = error.value.response["Error"]["Message"]
    return message


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    started = Service(tmp_path_factory.mktemp("x ray"))
    yield started
    assert started.end() == 0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    place = Home(tmp_path / "lab")
    yield place
    place.python("from lab import emulator; emulator.reset()")


def record_of(home: Home) -> dict[str, int]:
    record: dict[str, int] = json.loads((home.folder / "xray" / "process.json").read_text())
    return record


# Traces


def test_segments_of_the_api_and_of_the_udp_port_make_one_trace(service: Service) -> None:
    trace_id = new_trace_id()
    call = segment(trace_id, 2, ago=0.5, namespace="aws", name="DynamoDB", aws={"table_name": "Orders"})
    service.send({**call, "type": "subsegment", "parent_id": f"{1:016x}"})
    assert service.put(segment(trace_id, 1)) == []

    trace = eventually(lambda: (found := service.trace(trace_id)) and len(found["Segments"]) == 2 and found)
    front, table = (json.loads(one["Document"]) for one in trace["Segments"])
    assert [one["id"] for one in front["subsegments"]] == [call["id"]]
    assert (table["inferred"], table["name"], table["origin"]) == (True, "Orders", "AWS::DynamoDB::Table")
    assert trace["LimitExceeded"] is False


def test_segments_that_are_refused_are_named_and_the_others_kept(service: Service) -> None:
    trace_id = new_trace_id()
    unprocessed = service.put(segment(trace_id, 1), segment(trace_id, 2, name=""), segment("1-1-1", 3))
    assert [(one["Id"], one["ErrorCode"]) for one in unprocessed] == [
        (f"{2:016x}", "InvalidName"),
        (f"{3:016x}", "InvalidTraceId"),
    ]
    assert "name: is" in unprocessed[0]["Message"]
    assert service.trace(trace_id)


def test_a_trace_that_is_not_there_is_unprocessed(service: Service) -> None:
    missing = new_trace_id()
    answer = service.client.batch_get_traces(TraceIds=[missing])
    assert (answer["Traces"], answer["UnprocessedTraceIds"]) == ([], [missing])


def test_a_summary_tells_what_is_indexed_of_a_trace(service: Service) -> None:
    trace_id = new_trace_id()
    request = {"method": "POST", "url": "https://example.com/orders", "user_agent": "curl", "client_ip": "10.0.0.1"}
    front = segment(
        trace_id,
        user="ada",
        error=True,
        throttle=True,
        annotations={"total": 12.5, "gift": True, "country": "CH"},
        http={"request": request, "response": {"status": 429}},
        origin="AWS::Lambda",
        resource_arn="arn:aws:lambda:us-east-1:000000000000:function:front",
    )
    service.put(front, segment(trace_id, 2, ago=0.5, parent_id=f"{1:016x}", in_progress=True, end_time=None))
    [summary] = service.client.get_trace_summaries(
        **minutes_around(service), FilterExpression='annotation.country = "CH"'
    )["TraceSummaries"]

    assert summary["Id"] == trace_id
    assert summary["StartTime"].timestamp() == pytest.approx(front["start_time"], abs=0.001)
    assert (summary["ResponseTime"], summary["Duration"]) == (pytest.approx(0.25), pytest.approx(0.5, abs=0.1))
    assert [summary[name] for name in ("HasFault", "HasError", "HasThrottle", "IsPartial")] == [False, True, True, True]
    assert summary["Http"] == {
        "HttpURL": request["url"],
        "HttpStatus": 429,
        "HttpMethod": "POST",
        "UserAgent": "curl",
        "ClientIp": "10.0.0.1",
    }
    front_id = {"Name": "service-1", "Names": ["service-1"], "AccountId": "000000000000", "Type": "AWS::Lambda"}
    assert {name: value for name, [value] in summary["Annotations"].items()} == {
        "total": {"AnnotationValue": {"NumberValue": 12.5}, "ServiceIds": [front_id]},
        "gift": {"AnnotationValue": {"BooleanValue": True}, "ServiceIds": [front_id]},
        "country": {"AnnotationValue": {"StringValue": "CH"}, "ServiceIds": [front_id]},
    }
    assert summary["Users"] == [{"UserName": "ada", "ServiceIds": [front_id]}]
    assert summary["EntryPoint"] == front_id
    assert [one["Name"] for one in summary["ServiceIds"]] == ["service-1", "service-2"]
    assert summary["ResourceARNs"] == [{"ARN": front["resource_arn"]}]


def test_summaries_come_in_pages_newest_first(service: Service) -> None:
    ids = [new_trace_id() for _ in range(250)]
    for number in range(0, 250, 50):
        service.put(
            *(segment(one, ago=60 + n, user="pages") for n, one in enumerate(ids[number : number + 50], number))
        )
    pages = list(
        service.client.get_paginator("get_trace_summaries").paginate(
            **minutes_around(service), FilterExpression='user = "pages"'
        )
    )
    assert [one["Id"] for page in pages for one in page["TraceSummaries"]] == ids
    assert len(pages) > 2


@pytest.mark.parametrize("kind", ["TraceId", "Event", "Service"])
def test_a_range_of_time_holds_what_is_in_it(service: Service, kind: str) -> None:
    trace_id = new_trace_id()
    start = int(time.time()) - 3600
    service.put(segment(trace_id, start_time=start, end_time=start + 20, user=kind))

    def found(after: int, before: int) -> bool:
        return bool(
            service.client.get_trace_summaries(
                StartTime=start + after, EndTime=start + before, TimeRangeType=kind, FilterExpression=f'user = "{kind}"'
            )["TraceSummaries"]
        )

    inside = {"TraceId": (0, 1), "Event": (10, 11), "Service": (20, 21)}
    assert {name: found(*span) for name, span in inside.items()} == {
        "TraceId": {"TraceId": True, "Event": True, "Service": False}[kind],
        "Event": {"TraceId": False, "Event": True, "Service": False}[kind],
        "Service": {"TraceId": False, "Event": True, "Service": True}[kind],
    }


def test_a_question_that_makes_no_sense_is_refused_with_a_sentence(service: Service) -> None:
    summaries, now = service.client.get_trace_summaries, time.time()
    assert "EndTime is not after" in refused(summaries, StartTime=now, EndTime=now - 5)
    assert "6 hours at most" in refused(summaries, StartTime=now - 7 * 3600, EndTime=now)
    assert "6 hours at most" in refused(service.client.get_service_graph, StartTime=now - 7 * 3600, EndTime=now)
    assert "one of TraceId, Event, Service" in refused(
        summaries, StartTime=now - 5, EndTime=now, TimeRangeType="Whenever"
    )
    assert "^" in refused(summaries, StartTime=now - 5, EndTime=now, FilterExpression="responsetime >")
    assert "NextToken" in refused(summaries, StartTime=now - 5, EndTime=now, NextToken="mine")
    assert "a trace id is" in refused(service.client.batch_get_traces, TraceIds=["mine"])
    assert "1 to 5" in refused(service.client.batch_get_traces, TraceIds=[new_trace_id() for _ in range(6)])


def test_a_token_belongs_to_its_own_question(service: Service) -> None:
    for _ in range(3):
        service.put(*(segment(new_trace_id()) for _ in range(50)))
    page = service.client.get_trace_summaries(**minutes_around(service))
    assert "other parameters" in refused(
        service.client.get_trace_summaries,
        **minutes_around(service),
        FilterExpression="error",
        NextToken=page["NextToken"],
    )


# Graphs


def test_a_graph_is_of_a_range_of_time_a_group_or_of_traces(service: Service) -> None:
    client, name = service.client, secrets.token_hex(4)
    one, other = new_trace_id(), new_trace_id()
    service.put(segment(one, 1, name=f"{name}-a"), segment(one, 2, name=f"{name}-b", parent_id=f"{1:016x}", fault=True))
    service.put(segment(other, 1, name=f"{name}-c"))
    group = client.create_group(GroupName=f"only-{name}", FilterExpression=f'service("{name}-a")')["Group"]

    def names(services: list[dict[str, Any]]) -> set[str]:
        return {one["Name"] for one in services if one.get("Type") != "client" and one["Name"].startswith(name)}

    whole = client.get_paginator("get_service_graph").paginate(**minutes_around(service)).build_full_result()
    assert names(whole["Services"]) == {f"{name}-a", f"{name}-b", f"{name}-c"}
    for asked in ({"GroupName": group["GroupName"]}, {"GroupARN": group["GroupARN"]}):
        graph = client.get_service_graph(**minutes_around(service), **asked)
        assert names(graph["Services"]) == {f"{name}-a", f"{name}-b"}
        assert graph["ContainsOldGroupVersions"] is False
    graph = client.get_trace_graph(TraceIds=[one])
    assert names(graph["Services"]) == {f"{name}-a", f"{name}-b"}
    [caller] = [one for one in graph["Services"] if one["Name"] == f"{name}-a" and one.get("Type") is None]
    assert caller["Edges"][0]["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1
    assert "no group" in refused(client.get_service_graph, **minutes_around(service), GroupName="missing")
    client.delete_group(GroupName=group["GroupName"])


# Groups


def test_a_group_is_made_found_changed_and_deleted(service: Service) -> None:
    client = service.client
    made = client.create_group(
        GroupName="slow",
        FilterExpression="responsetime > 5",
        InsightsConfiguration={"InsightsEnabled": True},
        Tags=[{"Key": "section", "Value": "xray"}],
    )["Group"]
    assert made["GroupARN"].startswith("arn:aws:xray:us-east-1:000000000000:group/slow/")
    assert made["InsightsConfiguration"] == {"InsightsEnabled": True, "NotificationsEnabled": False}
    assert client.get_group(GroupARN=made["GroupARN"])["Group"] == made
    assert client.list_tags_for_resource(ResourceARN=made["GroupARN"])["Tags"] == [{"Key": "section", "Value": "xray"}]

    changed = client.update_group(GroupName="slow", FilterExpression="responsetime > 9")["Group"]
    assert changed == {**made, "FilterExpression": "responsetime > 9"}
    assert [one["GroupName"] for one in client.get_groups()["Groups"]] == ["Default", "slow"]
    assert "already" in refused(client.create_group, GroupName="slow")
    client.delete_group(GroupName="slow")
    assert "no group slow" in refused(client.get_group, GroupName="slow")


def test_a_group_that_makes_no_sense_is_refused(service: Service) -> None:
    client = service.client
    assert "^" in refused(client.create_group, GroupName="bad", FilterExpression="responsetime > > 5")
    assert "InsightsEnabled" in refused(
        client.create_group, GroupName="bad", InsightsConfiguration={"NotificationsEnabled": True}
    )
    assert "one of the two" in refused(client.get_group)
    assert "cannot be deleted" in refused(client.delete_group, GroupName="Default")
    assert "cannot be changed" in refused(client.update_group, GroupName="Default", FilterExpression="error")
    assert [one["GroupName"] for one in client.get_groups()["Groups"]] == ["Default"]


# Sampling rules

RULE = {
    "RuleName": "orders",
    "ResourceARN": "*",
    "Priority": 100,
    "FixedRate": 0.5,
    "ReservoirSize": 10,
    "ServiceName": "front",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "POST",
    "URLPath": "/orders",
    "Version": 1,
}


def test_a_sampling_rule_is_made_found_changed_and_deleted(service: Service) -> None:
    client = service.client
    record = client.create_sampling_rule(SamplingRule=RULE)["SamplingRuleRecord"]
    made = record["SamplingRule"]
    assert made == {**RULE, "RuleARN": "arn:aws:xray:us-east-1:000000000000:sampling-rule/orders", "Attributes": {}}
    assert [one["SamplingRule"]["RuleName"] for one in client.get_sampling_rules()["SamplingRuleRecords"]] == [
        "orders",
        "Default",
    ]
    changed = client.update_sampling_rule(SamplingRuleUpdate={"RuleName": "orders", "FixedRate": 0.25})
    assert changed["SamplingRuleRecord"]["SamplingRule"] == {**made, "FixedRate": 0.25}
    assert "already" in refused(client.create_sampling_rule, SamplingRule=RULE)
    client.delete_sampling_rule(RuleARN=made["RuleARN"])
    [default] = client.get_sampling_rules()["SamplingRuleRecords"]
    assert SamplingRule.of(default["SamplingRule"]) == DEFAULT_RULE


def test_a_sampling_rule_that_makes_no_sense_is_refused(service: Service) -> None:
    client = service.client
    assert "1 to 9999" in refused(client.create_sampling_rule, SamplingRule={**RULE, "Priority": 10_000})
    assert "from 0 to 1" in refused(client.create_sampling_rule, SamplingRule={**RULE, "FixedRate": 5})
    assert "RuleName is missing" in refused(
        client.create_sampling_rule, SamplingRule={name: value for name, value in RULE.items() if name != "RuleName"}
    )
    assert "Priority cannot" in refused(
        client.update_sampling_rule, SamplingRuleUpdate={"RuleName": "Default", "Priority": 1}
    )
    assert "cannot be deleted" in refused(client.delete_sampling_rule, RuleName="Default")
    assert "no sampling rule" in refused(client.delete_sampling_rule, RuleName="missing")


def test_the_twenty_sixth_sampling_rule_is_one_too_many(service: Service) -> None:
    client = service.client
    for number in range(25):
        client.create_sampling_rule(SamplingRule={**RULE, "RuleName": f"rule-{number}"})
    with pytest.raises(client.exceptions.RuleLimitExceededException):
        client.create_sampling_rule(SamplingRule=RULE)
    for number in range(25):
        client.delete_sampling_rule(RuleName=f"rule-{number}")


def test_whoever_asks_for_sampling_targets_gets_the_whole_reservoir(service: Service) -> None:
    service.client.create_sampling_rule(SamplingRule=RULE)
    statistics = {"ClientID": "0" * 24, "Timestamp": time.time(), "RequestCount": 100, "SampledCount": 60}
    answer = service.client.get_sampling_targets(
        SamplingStatisticsDocuments=[{"RuleName": name, **statistics} for name in ("orders", "missing")]
    )
    [target] = answer["SamplingTargetDocuments"]
    assert (target["RuleName"], target["FixedRate"], target["ReservoirQuota"], target["Interval"]) == (
        "orders",
        0.5,
        10,
        10,
    )
    assert target["ReservoirQuotaTTL"] > datetime.now(timezone.utc)
    assert [one["RuleName"] for one in answer["UnprocessedStatistics"]] == ["missing"]
    assert (datetime.now(timezone.utc) - answer["LastRuleModification"]).total_seconds() < 60
    service.client.delete_sampling_rule(RuleName="orders")


def test_tags_are_added_changed_and_taken_away(service: Service) -> None:
    client = service.client
    arn = client.get_sampling_rules()["SamplingRuleRecords"][0]["SamplingRule"]["RuleARN"]
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "3"}])
    client.untag_resource(ResourceARN=arn, TagKeys=["b", "c"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "3"}]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.tag_resource(ResourceARN=f"{arn}-missing", Tags=[])
    with pytest.raises(client.exceptions.TooManyTagsException):
        client.tag_resource(ResourceARN=arn, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])


# Encryption


def test_the_key_is_named_and_given_up(service: Service) -> None:
    client = service.client
    assert client.get_encryption_config()["EncryptionConfig"] == {"Type": "NONE", "Status": "ACTIVE"}
    named = client.put_encryption_config(Type="KMS", KeyId="alias/traces")["EncryptionConfig"]
    assert named == {"Type": "KMS", "Status": "ACTIVE", "KeyId": "alias/traces"}
    assert client.get_encryption_config()["EncryptionConfig"] == named
    for wrong in ({"Type": "KMS"}, {"Type": "NONE", "KeyId": "alias/traces"}):
        with pytest.raises(client.exceptions.InvalidRequestException, match="KeyId goes with the type KMS"):
            client.put_encryption_config(**wrong)
    client.put_encryption_config(Type="NONE")
    assert client.get_encryption_config()["EncryptionConfig"]["Type"] == "NONE"


# HTTP


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/Insight", b"{}", 404, "no operation"),
        ("/Traces", b"{", 400, "not JSON"),
        ("/Traces", b"[" * 100_000, 400, "not JSON"),
        ("/Traces", b"[]", 400, "an object is needed"),
        ("/Traces", b"{}", 400, "TraceIds is missing"),
        ("/Traces", b'{"TraceIds": ["a"], "Trace": 1}', 400, "Trace is no parameter"),
        ("/Traces", b'{"TraceIds": "a"}', 400, "a list"),
        ("/Groups", b'{"NextToken": 5}', 400, "a string"),
        ("/Groups", b'{"NextToken": "WzEsIDJd"}', 400, "other parameters"),
    ],
)
def test_a_request_of_another_kind_is_answered_with_what_is_wrong(
    service: Service, path: str, body: bytes, status: int, said: str
) -> None:
    answered, error, content = service.request("POST", path, body)
    assert (answered, bool(error)) == (status, True)
    assert said in content["Message"]


def test_a_request_that_is_too_large_is_not_read(service: Service) -> None:
    status, _, content = service.request("POST", "/Traces", b"", **{"Content-Length": str(10**12)})
    assert (status, "Content-Length" in content["Message"]) == (400, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[broken"}, 403),
        ({"Host": "rebound.example.com:2000"}, 403),
    ],
)
def test_a_page_of_another_site_is_refused(service: Service, headers: dict[str, str], status: int) -> None:
    assert service.request("POST", "/Groups", b"{}", **headers)[0] == status
    assert service.request("GET", "/_xray/health", **headers)[0] == status


def test_it_listens_on_loopback_alone(service: Service) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", service.record["port"]), timeout=5)


def test_health_tells_what_was_received_and_dropped(service: Service) -> None:
    def counts() -> dict[str, Any]:
        segments: dict[str, Any] = service.request("GET", "/_xray/health")[2]["segments"]
        return segments

    before = counts()
    service.send(segment(new_trace_id()))
    service.send(segment("no trace"))
    eventually(lambda: counts()["stored"] == before["stored"] + 1)
    eventually(lambda: counts()["dropped"].get("InvalidTraceId", 0) == before["dropped"].get("InvalidTraceId", 0) + 1)


# The process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_what_was_kept_is_there_after_another_start(tmp_path: Path, number: int) -> None:
    trace_id = new_trace_id()
    first = Service(tmp_path / "xray")
    first.put(segment(trace_id))
    first.client.create_group(GroupName="kept")
    assert first.end(number) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    again = Service(tmp_path / "xray")
    try:
        assert again.trace(trace_id)
        assert again.client.get_group(GroupName="kept")
    finally:
        again.end()


def test_traces_that_are_damaged_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "xray").mkdir()
    (tmp_path / "xray" / "traces.sqlite").write_bytes(b"no database" * 1000)
    started = Service(tmp_path / "xray")
    try:
        assert started.put(segment(new_trace_id())) == []
        assert list((tmp_path / "xray").glob("traces-broken-*"))
    finally:
        started.end()


# With the emulator

SEND = f"""
import json
from lab import xray_process
import socket, time
xray = xray_process.running()
now = time.time()
document = {{"name": "kept", "id": "0" * 16, "trace_id": "1-{{:08x}}-{{:024x}}".format(int(now), 7),
             "start_time": now, "end_time": now}}
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
    sending.sendto({HEADER!r} + json.dumps(document).encode(), ("127.0.0.1", xray.udp_port))
while not xray.health()["segments"]["stored"]:
    time.sleep(0.02)
"""
COUNT = """
from pathlib import Path
from lab import xray_process
from lab.xray.store import Store
print(Store(xray_process.FOLDER / "traces.sqlite").count())
"""
FOUND = """
from lab import emulator
from lab.views.terminal import Steps
found = emulator.found(Steps(None))
print(found.settings["AWS_ENDPOINT_URL_XRAY"], found.settings["AWS_XRAY_DAEMON_ADDRESS"])
"""


def test_it_starts_and_ends_with_the_emulator_and_keeps_its_traces(home: Home) -> None:
    emulator = home.start()
    first = record_of(home)
    functions_get = psutil.Process(int(emulator["pid"])).environ()
    assert functions_get["AWS_XRAY_DAEMON_ADDRESS"] == f"127.0.0.1:{first['udp_port']}"
    assert functions_get["AWS_ENDPOINT_URL_XRAY"] == f"http://127.0.0.1:{first['port']}"
    assert home.python(SEND).returncode == 0
    home.stop()
    assert not psutil.pid_exists(first["pid"])
    home.start()
    again = record_of(home)
    assert (again["port"], again["udp_port"]) == (first["port"], first["udp_port"])
    assert home.python(COUNT).stdout == "1\n"
    home.python("from lab import emulator; emulator.reset()")
    assert not psutil.pid_exists(again["pid"])
    assert not (home.folder / "xray").exists()


def test_it_is_started_again_on_the_same_ports_if_it_died_while_the_emulator_lives(home: Home) -> None:
    home.start()
    first = record_of(home)
    os.kill(first["pid"], signal.SIGKILL)
    done = home.python(FOUND)
    assert "X-Ray did not run any more" in done.stderr
    assert done.stdout.split() == [f"http://127.0.0.1:{first['port']}", f"127.0.0.1:{first['udp_port']}"]
    assert record_of(home)["pid"] != first["pid"]
    assert "X-Ray" not in home.python(FOUND).stderr


def test_one_that_hangs_is_replaced_and_that_is_said(home: Home) -> None:
    home.start()
    first = record_of(home)
    os.kill(first["pid"], signal.SIGSTOP)
    impatient = (
        "from lab import emulator, xray_process; from lab.views.terminal import Steps\n"
        "xray_process._ANSWER_SECONDS = xray_process._STOP_SECONDS = 1\n"
        "emulator.start(Steps(None))"
    )
    assert "does not answer any more" in home.python(impatient).stderr
    assert record_of(home)["udp_port"] == first["udp_port"]
    assert not psutil.pid_exists(first["pid"])


def test_a_taken_udp_port_is_left_to_its_owner_and_that_is_said(home: Home) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as owner:
        owner.bind(("127.0.0.1", 0))
        taken = owner.getsockname()[1]
        (home.folder / "xray").mkdir(parents=True)
        record = {"pid": os.getpid(), "port": 0, "udp_port": taken}
        (home.folder / "xray" / "process.json").write_text(json.dumps(record))
        home.start()
        assert f"UDP port {taken} is taken" in home.said
        assert record_of(home)["udp_port"] != taken


def test_a_start_that_fails_says_why_and_leaves_nothing_behind(home: Home) -> None:
    (home.folder / "xray").mkdir(parents=True)
    (home.folder / "xray" / "traces.sqlite").mkdir()
    failed = home.python("from lab import emulator; from lab.views.terminal import Steps; emulator.start(Steps(None))")
    assert "X-Ray ended at its start" in failed.stderr
    assert not (home.folder / "emulator.json").exists()


def test_status_tells_what_was_received(home: Home) -> None:
    home.start()
    home.python(SEND)
    lab = [sys.executable, "-m", "lab", "status"]
    environ = {**os.environ, "SERVERLESS_LAB_HOME": str(home.folder)}
    shown = subprocess.run(lab, env=environ, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "1 since its start, none dropped" in shown
    as_json = subprocess.run([*lab, "--json"], env=environ, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(as_json)["xray"]["segments"]["stored"] == 1
