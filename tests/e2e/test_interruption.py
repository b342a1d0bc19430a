"""Ctrl-C ends what was started, leaves nothing behind but the emulator, and the next start goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from .conftest import Lab

LAB = Path(sys.executable).with_name("lab")


def interrupt_during(words: list[str], said: str, lab_home: Path) -> subprocess.CompletedProcess[str]:
    """Start `lab`, press Ctrl-C as a terminal would once it has said something, and wait for its end."""
    process = subprocess.Popen(
        [LAB, *words],
        env={**os.environ, "SERVERLESS_LAB_HOME": str(lab_home), "FORCE_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    heard = ""
    while said not in heard:
        heard += process.stderr.read(1)
    time.sleep(1)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    left = [child for child in psutil.wait_procs(children, timeout=10)[1] if not outlives_lab(child)]
    assert left == []
    return subprocess.CompletedProcess(words, process.returncode, out, heard + err)


def outlives_lab(process: psutil.Process) -> bool:
    """Tell the emulator, its X-Ray and what they started from everything else."""
    words = [word for parent in [process, *process.parents()] for word in parent.cmdline()]
    return "lab.xray" in words or any("emulator_server" in word for word in words)


@pytest.mark.parametrize("said", ["Synthesizing", "Deploying"])
def test_a_deployment_can_be_interrupted_and_goes_on_at_the_next_start(lab: Lab, lab_home: Path, said: str) -> None:
    # From nothing, so that there is something left to do when the key is pressed.
    lab("reset", "--yes")
    interrupted = interrupt_during(["up", "sqs-lambda"], said, lab_home)
    assert interrupted.returncode == 130
    assert "Traceback" not in interrupted.stderr
    assert f"Interrupted: {said}" in interrupted.stderr
    assert ("`lab up` goes on from there" in interrupted.stderr) == (said == "Deploying")

    lab("up", "sqs-lambda")
    assert json.loads(lab("run", "sqs-lambda", "--no-deploy", "--json").stdout)["failed"] == 0


def test_a_sender_says_what_it_sent(lab: Lab, lab_home: Path) -> None:
    lab("up", "sqs-lambda")
    interrupted = interrupt_during(["send", "--rate", "50"], "Sending", lab_home)
    assert interrupted.returncode == 130
    assert " sent, 0 failed" in interrupted.stdout
