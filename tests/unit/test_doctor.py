"""What the doctor says of what may be missing, or old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import doctor, emulator, xray_process

if TYPE_CHECKING:
    from pathlib import Path


def xray_finding(monkeypatch: pytest.MonkeyPatch, *, emulator_runs: bool, xray_runs: bool) -> doctor.Finding:
    running = xray_process.XRay(pid=1, port=4567, udp_port=2000) if xray_runs else None
    monkeypatch.setattr(xray_process, "running", lambda: running)
    monkeypatch.setattr(emulator, "running", lambda: object() if emulator_runs else None)
    return doctor._xray()


@pytest.mark.parametrize(
    ("emulator_runs", "xray_runs", "well", "said"),
    [
        (True, True, True, "X-Ray on http://127.0.0.1:4567, UDP port 2000"),
        (False, False, True, "starts with the emulator"),
        (True, False, False, "nothing is traced until `lab up` starts it again"),
    ],
)
def test_x_ray_is_missed_where_the_emulator_runs_without_it(
    monkeypatch: pytest.MonkeyPatch, emulator_runs: bool, xray_runs: bool, well: bool, said: str
) -> None:
    found = xray_finding(monkeypatch, emulator_runs=emulator_runs, xray_runs=xray_runs)
    assert (found.well, found.optional) == (well, True)
    assert said in found.text


@pytest.mark.parametrize(
    ("version", "well", "said"),
    [
        ("aws-cli/2.31.0 Python/3.13.7 Linux/6.1", True, "points it at the emulator"),
        ("aws-cli/1.45.11 Python/3.11.7 Linux/6.1", False, 'aws sqs --endpoint-url "$AWS_ENDPOINT_URL"'),
    ],
)
def test_an_aws_cli_whose_sqs_would_call_aws_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, well: bool, said: str
) -> None:
    aws = tmp_path / "aws"
    aws.write_text(f"#!/bin/sh\necho '{version}'\n")
    aws.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    found = doctor._aws_cli()
    assert (found.well, found.optional) == (well, True)
    assert said in found.text
