"""The web image as anybody can run it: small, without rights, well or not, and quick to end."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from lab.runbook import wait_for
from lambda_src.web_image import RUNTIME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.engine.discovery import Engine

IMAGE = "localhost/serverless-lab-test:1"
# What the kernel here may permit less of than an engine asks for by itself.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")
#: The longest that anything here takes on a busy machine.
SECONDS = 60


@pytest.fixture(scope="module")
def image(engine: Engine, base: str) -> str:
    run(engine.name, "build", "--quiet", "--build-arg", f"BUSYBOX_IMAGE={base}", "--tag", IMAGE, str(RUNTIME))
    return IMAGE


def test_it_is_built_for_the_other_architecture_on_any_machine(engine: Engine, tmp_path: Path) -> None:
    other = "arm64" if engine.architecture == "amd64" else "amd64"
    platform, foreign_base, built = f"linux/{other}", "localhost/serverless-lab-test-base:1", f"{IMAGE}-{other}"
    # Nothing of the base runs, so any file does for its program.
    (tmp_path / "busybox").write_text("of another machine")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY busybox /bin/busybox\n")
    run(engine.name, "build", "--quiet", "--platform", platform, "--tag", foreign_base, str(tmp_path))
    arguments = ("--build-arg", f"BUSYBOX_IMAGE={foreign_base}")
    run(engine.name, "build", "--quiet", "--platform", platform, *arguments, "--tag", built, str(RUNTIME))
    try:
        assert run(engine.name, "inspect", "--format", "{{.Os}}/{{.Architecture}}", built) == platform
    finally:
        run(engine.name, "rmi", "--force", built, foreign_base)


@pytest.fixture(scope="module")
def container(engine: Engine, image: str) -> Iterator[str]:
    hardened = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")
    made = run(engine.name, "run", "--detach", *hardened, *LIMITS, "--publish", "127.0.0.1::8080", image)
    yield made
    run(engine.name, "rm", "--force", made)


@pytest.fixture
def address(engine: Engine, container: str) -> str:
    found = run(engine.name, "port", container, "8080/tcp")
    assert wait_for(lambda: is_well(found), seconds=SECONDS)
    return found


def test_the_page_says_which_host_answered(container: str, address: str) -> None:
    status, kind, page = get(address)
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert f"<h1>Answered by {container[:12]}</h1>" in page

    status, kind, document = get(address, Accept="application/json")
    assert (status, kind) == (200, "application/json")
    assert json.loads(document)["host"] == container[:12]


def test_what_a_visitor_sends_ends_no_line_and_no_text(engine: Engine, container: str, address: str) -> None:
    forged = {"X-Amzn-Trace-Id": 'Root=1","task":"forged'}
    get(address, '/?q="}{"level":"ERROR"%0a<script>', **forged)

    lines = [json.loads(line) for line in logged(engine, container).splitlines()]
    [request] = [line for line in lines if line.get("path", "").startswith("/?q=")]
    assert set(request) == {"level", "message", "path", "trace", "task"}
    assert request["task"] == container[:12]


def test_only_what_is_served_can_be_read(address: str) -> None:
    for path in ("/nothing", "/cgi-bin/", "/../serve", "/..%2f..%2fusr/local/bin/serve", "/%2e%2e/%2e%2e/bin/busybox"):
        assert get(address, path)[0] in {400, 403, 404}, path


def test_it_has_no_rights_and_nowhere_to_write(engine: Engine, container: str) -> None:
    inside = (engine.name, "exec", container, "/usr/local/bin/busybox")
    assert run(*inside, "id", "-u") == "65532"
    assert "CapEff:\t0000000000000000" in run(*inside, "cat", "/proc/1/status")
    with pytest.raises(subprocess.CalledProcessError):
        run(*inside, "touch", "/new")


def test_the_health_check_fails_when_the_server_does(engine: Engine, container: str, address: str) -> None:
    assert is_well(address)
    check = (container, "/usr/local/bin/serve", "--check")
    run(engine.name, "exec", *check)
    with pytest.raises(subprocess.CalledProcessError):
        run(engine.name, "exec", "--env", "PORT=81", *check)


@pytest.mark.parametrize("signal", ["TERM", "INT"])
def test_it_ends_in_its_own_way_when_it_is_told_to(engine: Engine, image: str, signal: str) -> None:
    made = run(engine.name, "run", "--detach", *LIMITS, image)
    try:
        assert wait_for(lambda: "serving" in logged(engine, made), seconds=SECONDS)
        run(engine.name, "kill", "--signal", signal, made)
        started = time.monotonic()
        assert run(engine.name, "wait", made) == "0"
        assert time.monotonic() - started < 10
        assert "stopped" in logged(engine, made)
    finally:
        run(engine.name, "rm", "--force", made)


def logged(engine: Engine, container: str) -> str:
    return subprocess.run(
        [engine.name, "logs", container], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ).stdout


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=SECONDS).stdout.strip()


def get(address: str, path: str = "/", **headers: str) -> tuple[int, str, str]:
    """Ask without tidying the path up; return the status, the type of the content, and the content."""
    connection = http.client.HTTPConnection(address, timeout=SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers.get("Content-Type", ""), response.read().decode()
    finally:
        connection.close()


def is_well(address: str) -> bool:
    try:
        return get(address, "/health.txt")[0] == 200
    except (OSError, http.client.HTTPException):
        return False
