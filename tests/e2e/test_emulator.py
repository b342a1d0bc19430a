"""The emulator is started, found and stopped, keeps its state, and says so when it cannot have kept it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import boto3
import psutil
import pytest

from lab import ports

if TYPE_CHECKING:
    from pathlib import Path

START = """
import json
from lab import emulator, project
from lab.errors import LabError
from lab.views.terminal import Steps
project.require_checkout()
try:
    found = emulator.start(Steps(None))
except LabError as error:
    raise SystemExit(f"lab: {error}")
print(json.dumps({"pid": found.pid, "endpoint": found.endpoint}))
"""
STOP = "from lab import emulator; emulator.reset()"


class Home:
    """A lab of one test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "SERVERLESS_LAB_HOME": str(self.folder)}
        return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)

    def start(self) -> dict[str, str | int]:
        done = self.python(START)
        assert done.returncode == 0, done.stderr
        self.said = done.stderr
        answer: dict[str, str | int] = json.loads(done.stdout)
        return answer

    def stop(self) -> None:
        assert self.python("from lab import emulator; emulator.stop()").returncode == 0


@pytest.fixture
def home(tmp_path: Path):
    place = Home(tmp_path / "lab")
    yield place
    place.python(STOP)


def queues(endpoint: object) -> list[str]:
    sqs = boto3.client(
        "sqs",
        endpoint_url=str(endpoint),
        region_name="us-east-1",
        aws_access_key_id="000000000000",
        aws_secret_access_key="test",
    )
    if not sqs.list_queues().get("QueueUrls"):
        sqs.create_queue(QueueName="Kept")
        return []
    return [url.rsplit("/", 1)[1] for url in sqs.list_queues()["QueueUrls"]]


def kill(pid: object) -> None:
    os.kill(int(str(pid)), signal.SIGKILL)


def test_a_second_start_finds_the_first(home: Home) -> None:
    assert home.start() == home.start()


def test_two_starts_at_once_make_one_emulator(home: Home) -> None:
    environ = {**os.environ, "SERVERLESS_LAB_HOME": str(home.folder)}
    both = [subprocess.Popen([sys.executable, "-c", START], env=environ, stdout=subprocess.PIPE) for _ in range(2)]
    first, second = (json.loads(process.communicate(timeout=60)[0]) for process in both)
    assert first == second


def test_it_listens_on_loopback_alone(home: Home) -> None:
    endpoint = str(home.start()["endpoint"])
    port = int(endpoint.rsplit(":", 1)[1])
    assert endpoint.startswith("http://127.0.0.1:")
    other_address = "127.0.0.2"  # this machine too, and not the address that it listens on
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((other_address, port), timeout=5)


def test_a_stop_keeps_the_state_and_the_port(home: Home) -> None:
    first = home.start()
    assert queues(first["endpoint"]) == []
    home.stop()
    again = home.start()
    assert again["pid"] != first["pid"]
    assert again["endpoint"] == first["endpoint"]
    assert queues(again["endpoint"]) == ["Kept"]


def test_a_port_that_another_program_takes_at_the_last_moment_is_left_to_it(home: Home) -> None:
    taking = """
import socket
from lab import emulator, emulator_process
spawn, owners = emulator_process.spawn, []
def late(port, xray):
    if not owners:
        owners.append(socket.create_server(("127.0.0.1", port)))
    return spawn(port, xray)
emulator_process.spawn = late
"""
    done = home.python(taking + START + "print(owners[0].getsockname()[1])")
    assert done.returncode == 0, done.stderr
    started, taken = done.stdout.splitlines()
    assert not json.loads(started)["endpoint"].endswith(f":{taken}")


def test_a_taken_port_is_left_to_its_owner(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as owner:
        taken = owner.getsockname()[1]
        (home.folder / "emulator").mkdir(parents=True)
        (home.folder / "emulator" / "port").write_text(str(taken))
        endpoint = str(home.start()["endpoint"])
    assert not endpoint.endswith(f":{taken}")
    assert f"Port {taken} is taken" in home.said


@pytest.mark.parametrize("chosen", ["80", "65536", "web"])
def test_a_port_that_cannot_be_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    monkeypatch.setenv("SERVERLESS_LAB_PORT", chosen)
    assert f"SERVERLESS_LAB_PORT is {chosen}: a number from 1024 to 65535" in home.python(START).stderr


def test_the_port_can_be_chosen(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ports.first_free([])
    monkeypatch.setenv("SERVERLESS_LAB_PORT", str(chosen))
    assert home.start()["endpoint"] == f"http://127.0.0.1:{chosen}"
    assert "is taken: the emulator uses" not in home.said


def test_an_emulator_that_was_killed_is_detected_and_said(home: Home) -> None:
    first = home.start()
    queues(first["endpoint"])
    kill(first["pid"])
    again = home.start()

    assert "was killed" in home.said
    assert queues(again["endpoint"]) == []
    assert list(home.folder.glob("emulator-broken-*")), "what was left of the state is gone"


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_from_outside_keeps_the_state_too(home: Home, signal_number: int) -> None:
    first = home.start()
    queues(first["endpoint"])
    process = psutil.Process(int(first["pid"]))
    process.send_signal(signal_number)
    assert psutil.wait_procs([process], timeout=30)[1] == []
    again = home.start()
    assert "killed" not in home.said
    assert queues(again["endpoint"]) == ["Kept"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "rebound.example.com:4566"}, 403),
        ({"Host": "a-function.lambda-url.us-east-1.localhost:4566"}, None),
    ],
)
def test_a_page_of_another_site_is_refused(home: Home, headers: dict[str, str], status: int | None) -> None:
    request = urllib.request.Request(f"{home.start()['endpoint']}/_ministack/health", headers=headers)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answered = opener.open(request, timeout=10).status
    except urllib.error.HTTPError as error:
        answered = error.code
    # What a name of this machine leads to is the emulator's to say, as long as it is not refused.
    assert answered == status if status else answered != 403


def test_two_labs_at_once_have_an_emulator_each(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", START],
            env={**os.environ, "SERVERLESS_LAB_HOME": str(place.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for place in (home, other)
    ]
    answers = [process.communicate(timeout=120)[0] for process in starts]
    try:
        found = [json.loads(answer) for answer in answers if answer]
        assert len({one["pid"] for one in found}) == len(found) >= 1
        assert len({one["endpoint"] for one in found}) == len(found), "both believe that one emulator is theirs"
    finally:
        other.python(STOP)


def test_another_process_with_the_same_number_is_not_taken_for_it(home: Home) -> None:
    home.start()
    home.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        record = {"pid": stranger.pid, "created": 1.0, "port": 4566}
        (home.folder / "emulator.json").write_text(json.dumps(record))
        home.start()
        home.stop()
        assert stranger.poll() is None, "it was ended"
        stranger.communicate(b"\n")


@pytest.mark.parametrize("name", ["sqs.json", "sqs.json.tmp"])
def test_a_state_that_was_being_written_is_set_aside_and_said(home: Home, name: str) -> None:
    home.start()
    home.stop()
    (home.folder / "emulator" / "state" / name).write_text('{"half": ')
    home.start()
    assert name in home.said
    assert list(home.folder.glob("emulator-broken-*"))


def test_a_start_that_fails_says_why(home: Home) -> None:
    broken = (
        "from lab import emulator_process; emulator_process.python_of = lambda _: __import__('shutil').which('false')"
    )
    code = START.replace("try:", f"{broken}\ntry:", 1)
    failed = home.python(code)
    assert failed.returncode == 1
    assert "ended at its start" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failed = Home(tmp_path / "file" / "lab").python(
        "from lab.project import require_checkout; from lab.errors import LabError\n"
        "try: require_checkout()\n"
        "except LabError as error: raise SystemExit(str(error))"
    )
    assert failed.returncode == 1
    assert "cannot be written" in failed.stderr
