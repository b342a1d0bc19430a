"""The environment of a local run holds nothing that leads away, and its clients refuse every other host."""

from __future__ import annotations

import subprocess

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import isolation, loopback
from lab.errors import LabError

HOSTILE = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_SQS": "https://sqs.eu-west-1.amazonaws.com",
    "AWS_SESSION_TOKEN": "token",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
    "BOTO_CONFIG": "/etc/boto.cfg",
    "CDK_DEFAULT_ACCOUNT": "111122223333",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "all_proxy": "http://proxy.example:3128",
}


def test_nothing_of_the_callers_aws_settings_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EDITOR", "vi")
    settings = isolation.emulator_settings("http://127.0.0.1:4566", {"AWS_ENDPOINT_URL_XRAY": "http://127.0.0.1:2001"})
    environment = isolation.local_environment(settings)

    assert HOSTILE.keys().isdisjoint(environment)
    assert not set(HOSTILE.values()) & set(environment.values())
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environment["AWS_ENDPOINT_URL_XRAY"] == "http://127.0.0.1:2001"
    assert environment["EDITOR"] == "vi"


@pytest.mark.parametrize(
    "url", ["https://sqs.us-east-1.amazonaws.com/", "http://10.0.0.1/", "http://127.0.0.1.example.com/", "http:///"]
)
def test_a_request_to_another_host_is_refused_before_it_is_sent(url: str) -> None:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    isolation.refuse_other_hosts(session)
    with pytest.raises(LabError, match="refused"):
        session.events.emit("before-send.sqs.ListQueues", request=type("Request", (), {"url": url}))


def test_a_client_without_an_endpoint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    isolation.refuse_other_hosts(session)
    with pytest.raises(LabError, match=r"amazonaws\.com"):
        session.client("sqs").list_queues()


@given(st.ip_addresses())
def test_loopback_is_what_the_standard_says(address: object) -> None:
    host = f"[{address}]" if ":" in str(address) else str(address)
    assert loopback.is_loopback(f"http://{host}:4566/") is address.is_loopback


def test_names_of_this_machine_are_loopback() -> None:
    assert loopback.is_loopback("http://localhost:4566")
    assert loopback.is_loopback("http://bucket.s3.localhost:4566")
    assert not loopback.is_loopback("http://localhost.example.com")


def test_a_shell_evaluates_the_settings_whatever_is_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    awkward = {"AWS_CONFIG_FILE": "/a folder/it's $HOME", "AWS_REGION": "us-east-1"}
    script = isolation.as_shell(awkward) + '\nprintf "%s|%s|%s" "$AWS_CONFIG_FILE" "$AWS_REGION" "$AWS_PROFILE"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert shown == "/a folder/it's $HOME|us-east-1|"
