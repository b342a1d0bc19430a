"""The chapter's command line: what it accepts, what it prints, how it ends, and how it is interrupted."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambda_src.message_sender.runtime import send_message
from tests.unit.fake_sqs import FakeSqs, Step, client_error

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "lambda_src" / "message_sender" / "runtime"


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> FakeSqs:
    fake = FakeSqs("Messages", "Orders", "Messages2")
    monkeypatch.setattr(send_message, "sqs_client", lambda parallel: fake)  # noqa: ARG005
    return fake


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Leave the caller's AWS configuration, and EC2's, out of it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command line that is refused, and return the sentence that says why."""
    with pytest.raises(SystemExit) as ended:
        send_message.main(words)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return printed.err.splitlines()[-1].removeprefix("send_message.py: error: ")


# In this process, with a fake client


def test_all_sent_is_status_0_and_one_line_of_totals(sqs: FakeSqs, capsys: pytest.CaptureFixture[str]) -> None:
    assert send_message.main(["-q", "Messages", "--count", "25", "-m", "hello", "--parallel", "2"]) == 0
    [totals] = capsys.readouterr().out.splitlines()
    assert totals.startswith("25 sent, 0 failed in ")
    assert list(sqs.accepted.values()) == ["hello"] * 25


def test_some_not_sent_is_status_1_and_the_reason_is_said(
    sqs: FakeSqs, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    sqs.script = iter([Step(failed={4: True})])
    assert send_message.main(["-q", "Messages", "--count", "10"]) == 1
    assert capsys.readouterr().out.startswith("9 sent, 1 failed")
    assert "1 not sent: InternalError: InternalError!" in caplog.messages


def test_giving_up_is_status_1_and_said(sqs: FakeSqs, caplog: pytest.LogCaptureFixture) -> None:
    sqs.script = iter([Step(error=client_error("KMS.DisabledException", 400))])
    assert send_message.main(["-q", "Messages", "--interval", "0"]) == 1
    assert "Gave up, as a whole request failed: KMS.DisabledException: KMS.DisabledException!" in caplog.messages


def test_an_interval_of_0_sends_in_batches_and_one_above_sends_one_by_one(sqs: FakeSqs) -> None:
    send_message.main(["-q", "Messages", "-i", "0", "--count", "20"])
    send_message.main(["-q", "Messages", "-i", "0.001", "--count", "2"])
    assert [len(request) for request in sqs.requests] == [10, 10, 1, 1]


@pytest.mark.usefixtures("sqs")
def test_a_queue_that_does_not_exist_is_named_with_those_that_may_have_been_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    where = "eu-west-1 at https://sqs.eu-west-1.amazonaws.com"
    assert refused(capsys, "-q", "messages", "-i", "1") == (
        f"there is no queue messages in {where}; was Messages or Messages2 meant?"
    )
    assert refused(capsys, "-q", "xyz", "-i", "1") == f"there is no queue xyz in {where}"


def test_a_queue_that_does_not_exist_is_named_to_who_may_not_list_queues(
    sqs: FakeSqs, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs.may_list = False
    assert refused(capsys, "-q", "messages", "-i", "1").startswith("there is no queue messages in eu-west-1")


def test_a_queue_that_may_not_be_used_is_named(
    sqs: FakeSqs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: str) -> dict[str, str]:
        error: Any = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform sqs:getqueueurl"}}
        raise ClientError(error, "GetQueueUrl")

    monkeypatch.setattr(sqs, "get_queue_url", denied)
    assert refused(capsys, "-q", "Messages", "-i", "1") == (
        "queue Messages cannot be used: AccessDenied: not authorized to perform sqs:getqueueurl"
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-i", "-1"], "interval is -1: 0 or more seconds"),
        (["--rate", "0"], "rate is 0: more than 0 messages a second"),
        (["--count", "0"], "count is 0: 1 or more messages"),
        (["--count", "1", "--parallel", "65"], "parallel is 65: 1 to 64 workers"),
        (["--count", "1", "--parallel", "0"], "parallel is 0: 1 to 64 workers"),
        (["-i", "1", "-m", ""], "message is empty: 1 character or more"),
        (["-i", "1", "--rate", "5"], "interval and rate both say how fast to send: give one of them"),
        (["-i", "often"], "argument --interval/-i: invalid float value: 'often'"),
        (["-i", "1", "-l", "loud"], "argument --log/-l: loud is not one of DEBUG, INFO, WARNING, ERROR"),
        ([], "say how fast or how much to send: --interval/-i, --count, --rate or --parallel is required"),
    ],
)
def test_bad_options_are_refused_before_anything_is_sent(
    sqs: FakeSqs, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    assert refused(capsys, "-q", "Messages", *words) == reason
    assert sqs.requests == []


@pytest.mark.usefixtures("no_aws")
def test_what_is_missing_in_the_aws_configuration_is_said_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("-q", "Messages", "-i", "1")
    assert refused(capsys, *words).startswith("no AWS Region is configured: set AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert "no AWS credentials were found: run `aws configure`" in refused(capsys, *words)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000000")
    assert "no AWS credentials were found: run `aws configure`" in refused(capsys, *words)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert refused(capsys, *words).startswith("http://127.0.0.1:1 cannot be reached: ")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    assert refused(capsys, *words) == "Invalid endpoint: nonsense"
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert refused(capsys, *words) == "The config profile (nobody) could not be found"


# In a process of its own, with boto3, against a server that speaks the protocol of SQS


class Server(ThreadingHTTPServer):
    """Answers for a fake, and holds the answers to SendMessageBatch back until it is told to give them."""

    daemon_threads = True

    def __init__(self, sqs: FakeSqs) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sqs = sqs
        self.in_flight = threading.Event()
        self.may_answer = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Amz-Target"] == "AmazonSQS.GetQueueUrl":
            answer: dict[str, Any] = {
                "QueueUrl": f"http://127.0.0.1:{self.server.server_port}/1/{request['QueueName']}"
            }
        else:
            self.server.in_flight.set()
            self.server.may_answer.wait(20)
            answer = self.server.sqs.send_message_batch(**request)
        body = json.dumps(answer).encode()
        with suppress(ConnectionError):  # the sender may have been stopped meanwhile
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(FakeSqs()) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.may_answer.set()
        server.shutdown()


@contextmanager
def command(server: Server, tmp_path: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command as on an instance, where the folder is the package ``runtime``."""
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "runtime.send_message", *words],
        cwd=RUNTIME.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_stopping(process: subprocess.Popen[str]) -> None:
    assert process.stderr
    for line in process.stderr:
        if line.startswith("[INFO] Finishing what is in flight"):
            return
    pytest.fail("it ended without a word about stopping")


def test_the_chapters_command_line_logs_as_in_the_chapter(server: Server, tmp_path: Path) -> None:
    server.may_answer.set()
    words = ["-q", "Messages", "-i", "0.1", "-m", "hello", "-l", "INFO", "--count", "3"]
    with command(server, tmp_path, *words) as process:
        out, err = process.communicate(timeout=15)
    assert process.returncode == 0
    ours = [line for line in err.splitlines() if not line.startswith("[INFO] Found ")]  # botocore's own
    assert ours == [
        f"[INFO] http://127.0.0.1:{server.server_port}/1/Messages",
        *("[INFO] Sending message: hello", "[INFO] MessageId: id-0"),
        *("[INFO] Sending message: hello", "[INFO] MessageId: id-1"),
        *("[INFO] Sending message: hello", "[INFO] MessageId: id-2"),
    ]
    totals = re.fullmatch(r"3 sent, 0 failed in ([\d.]+) s: [\d.]+ messages a second\n", out)
    assert totals
    assert float(totals[1]) >= 0.2


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_what_is_in_flight_and_prints_the_totals(
    server: Server, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    with command(server, tmp_path, "-q", "Messages", "-m", "hello", "--parallel", "3") as process:
        assert server.in_flight.wait(15)
        process.send_signal(number)
        wait_until_stopping(process)
        assert server.sqs.answered == {}
        server.may_answer.set()
        out, err = process.communicate(timeout=15)
    assert process.returncode == status
    assert len(server.sqs.answered) in {10, 20, 30}
    assert out.startswith(f"{len(server.sqs.answered)} sent, 0 failed in ")
    assert "Traceback" not in err


def test_a_second_ctrl_c_stops_at_once(server: Server, tmp_path: Path) -> None:
    with command(server, tmp_path, "-q", "Messages", "-i", "0.1", "-m", "hello") as process:
        assert server.in_flight.wait(15)
        process.send_signal(signal.SIGINT)
        wait_until_stopping(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert out == ""
    assert err == "[WARNING] Stopped at once: what was in flight may be in the queue or not\n"


# What else depends on it


def test_importing_the_command_imports_neither_faker_nor_boto3_nor_the_cdk() -> None:
    code = (
        "import sys; from lambda_src.message_sender.runtime.send_message import send;"
        "print({'faker', 'boto3', 'aws_cdk'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_instance_gets_the_versions_that_everything_else_is_tested_with() -> None:
    ours = set((RUNTIME / "requirements.txt").read_text().splitlines())
    assert ours <= set((ROOT / "requirements.txt").read_text().splitlines())
