"""A local run reaches the emulator and nothing else, whatever the caller's AWS settings say."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from .conftest import LAB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Lab


class Elsewhere:
    """Stands for AWS, or for a proxy on the way there: a port that notes who comes."""

    def __init__(self) -> None:
        self.visits: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(1)
                try:
                    self.visits.append(connection.recv(200))
                except OSError:
                    self.visits.append(b"")

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    place = Elsewhere()
    yield place
    place.close()


def settings_that_lead(elsewhere: Elsewhere, folder: Path) -> dict[str, str]:
    """Every way that botocore and the CDK CLI know to be sent to another endpoint."""
    config = folder / "config"
    config.write_text(
        "[default]\nservices = away\n"
        f"[profile production]\nregion = eu-west-1\nendpoint_url = {elsewhere.url}\nservices = away\n"
        f"[services away]\nsqs =\n  endpoint_url = {elsewhere.url}\ndynamodb =\n  endpoint_url = {elsewhere.url}\n"
    )
    credentials = folder / "credentials"
    credentials.write_text("[production]\naws_access_key_id = AKIAPRODUCTION\naws_secret_access_key = secret\n")
    services = ["SQS", "DYNAMODB", "LAMBDA", "CLOUDFORMATION", "STS", "S3", "IAM", "LOGS", "CLOUDWATCH_LOGS", "SSM"]
    return {
        "AWS_PROFILE": "production",
        "AWS_DEFAULT_PROFILE": "production",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_ACCESS_KEY_ID": "AKIAPRODUCTION",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_REGION": "eu-west-1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ENDPOINT_URL": elsewhere.url,
        **{f"AWS_ENDPOINT_URL_{service}": elsewhere.url for service in services},
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": elsewhere.url,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": elsewhere.url,
        "CDK_DEFAULT_ACCOUNT": "111122223333",
    }


def home_that_leads(elsewhere: Elsewhere, folder: Path) -> dict[str, str]:
    """Settings that nobody named, in the files where every SDK looks."""
    (folder / ".aws").mkdir()
    (folder / ".aws" / "config").write_text(
        f"[default]\nregion = eu-west-1\nendpoint_url = {elsewhere.url}\nservices = away\n"
        # This alone would send a function's calls to AWS, whatever AWS_ENDPOINT_URL says.
        "ignore_configured_endpoint_urls = true\n"
        f"[services away]\nsqs =\n  endpoint_url = {elsewhere.url}\ndynamodb =\n  endpoint_url = {elsewhere.url}\n"
    )
    return {"HOME": str(folder)}


def proxies(elsewhere: Elsewhere) -> dict[str, str]:
    names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
    return {spelling: elsewhere.url for name in names for spelling in (name, name.lower())}


def test_deploying_and_running_reach_nothing_else(lab: Lab, elsewhere: Elsewhere, tmp_path: Path) -> None:
    report = json.loads(lab("run", "sqs-lambda", "--json", **settings_that_lead(elsewhere, tmp_path)).stdout)

    assert report["failed"] == 0
    assert report["target"] == "local"
    assert elsewhere.visits == []


def test_settings_in_files_lead_neither_the_lab_nor_its_functions_away(elsewhere: Elsewhere, tmp_path: Path) -> None:
    # An emulator that is started with such a home, and whose functions inherit it.
    hostile = {**os.environ, **home_that_leads(elsewhere, tmp_path), "SERVERLESS_LAB_HOME": str(tmp_path / "lab")}
    try:
        done = subprocess.run(
            [LAB, "run", "sqs-lambda", "--json"], env=hostile, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["failed"] == 0
        assert elsewhere.visits == []
    finally:
        subprocess.run([LAB, "reset", "--yes"], env=hostile, capture_output=True, check=True)


def test_no_proxy_is_asked_for_the_emulator(lab: Lab, elsewhere: Elsewhere, tmp_path: Path) -> None:
    hostile = {**settings_that_lead(elsewhere, tmp_path), **proxies(elsewhere)}
    lab("up", "sqs-lambda")
    # The function's packages are in uv's cache now; what else would reach for the proxy would be the lab's fault.
    lab("up", "sqs-lambda", **hostile, UV_OFFLINE="1")
    for words in (
        ["run", "sqs-lambda", "--no-deploy", "--json"],
        ["send", "--count", "20"],
        ["dlq", "show", "sqs-lambda"],
        ["logs", "sqs-lambda"],
        ["status"],
    ):
        lab(*words, **hostile)
    assert elsewhere.visits == []


def test_the_listener_would_notice(elsewhere: Elsewhere) -> None:
    with socket.create_connection(("127.0.0.1", int(elsewhere.url.rsplit(":", 1)[1]))) as visitor:
        visitor.sendall(b"hello")
        visitor.shutdown(socket.SHUT_WR)
        visitor.recv(1)
    assert elsewhere.visits == [b"hello"]


def test_aws_is_not_taken_for_the_emulator(lab: Lab) -> None:
    refused = lab("run", "sqs-lambda", "--target", "aws", "--yes", status=2, AWS_ENDPOINT_URL="http://127.0.0.1:4566")
    assert "which is not AWS" in refused.stderr
