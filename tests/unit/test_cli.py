"""The command line: wrong questions get an answer that helps, and output that pipes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab_stacks.catalog import SECTIONS

LAB = Path(sys.executable).with_name("lab")


@pytest.fixture
def lab(tmp_path: Path):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "SERVERLESS_LAB_HOME": str(tmp_path), "COLUMNS": "200"}
        return subprocess.run(
            [LAB, *words], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "sqs-lamda"], "Did you mean sqs-lambda? The sections are: "),
        (["up", "sqs-lambda", "nonsense"], "There is no section nonsense."),
        (["diff", "sqs"], "Did you mean sqs-lambda?"),
        (["up", "--posture", "prod"], "Did you mean production? The postures are: lab, production."),
        (["run", "sqs-lambda", "-c", "client"], "context is written NAME=VALUE"),
        (["run", "sqs-lambda", "--target", "moon"], "'moon' is not one of 'local', 'aws'"),
        (["up", "-c", "posture=production"], "`--posture NAME`"),
        (["logs", "sqs-lambda", "--since", "yesterday"], "such as 30s or 2h"),
        (["send", "-i", "-1"], "interval is -1: 0 or more seconds"),
        (["send", "--count", "0", "--rate", "0"], "count is 0: 1 or more messages; rate is 0"),
        (["send", "-m", "x" * 100, "-i", "1", "--rate", "1"], "give one of them"),
        (["send", "-m", "", "--count", "1"], "message is empty"),
        (["send", "--count", "1", "-l", "LOUD"], "the levels are DEBUG, INFO, WARNING and ERROR"),
        (["synth", "sqs-lambda", "-c", "client=ec3"], "The clients are: none, ec2."),
        (
            ["synth", "sqs-lambda", "-c", "queue_name=Orders.fifo"],
            "queue_name is Orders.fifo: the name of a FIFO queue",
        ),
        (["send", "--parallel", "65", "--count", "1"], "1 to 64 workers"),
        (["aurora", "swap", "--to", "reserved"], "'reserved' is not one of 'serverless', 'provisioned'"),
        (["reset"], "say --yes"),
        (["nonsense"], "No such command 'nonsense'"),
        (["run"], "Missing argument 'SECTION'"),
    ],
)
def test_a_wrong_question_is_refused_before_anything_is_done(lab, words: list[str], said: str) -> None:
    answer = lab(*words)
    assert answer.returncode == 2, answer.stderr
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", "", answer.stderr).split())
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["logs", "sqs-lambda"],
        ["send", "--count", "1"],
        ["env", "--json"],
        ["dlq", "show", "sqs-lambda"],
        ["diff", "sqs-lambda"],
    ],
)
def test_without_an_emulator_it_says_how_to_start_one(lab, words: list[str]) -> None:
    answer = lab(*words)
    assert answer.returncode == 1
    assert "The emulator does not run: `lab up` starts it" in answer.stderr
    assert answer.stdout == ""


def test_evaluating_no_settings_fails(lab) -> None:
    done = subprocess.run(["sh", "-c", lab("env").stdout], check=False)  # noqa: S607
    assert done.returncode != 0


def test_down_and_status_are_true_without_an_emulator(lab) -> None:
    assert lab("down").stdout == "The emulator did not run.\n"
    shown = json.loads(lab("status", "--json").stdout)
    assert shown["emulator"] is None
    assert set(shown["sections"].values()) == {"not deployed"}


def test_the_list_pipes(lab) -> None:
    lines = lab("list").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [section.id for section in SECTIONS]
    assert [section["id"] for section in json.loads(lab("list", "--json").stdout)] == [s.id for s in SECTIONS]


def test_the_doctor_names_what_it_looked_for(lab) -> None:
    answer = lab("doctor", "--json")
    found = {finding["name"]: finding for finding in json.loads(answer.stdout)}
    assert {"python", "node", "cdk", "emulator", "containers", "aws", "aws-cli"} <= set(found)
    needed = [finding for finding in found.values() if not finding["optional"]]
    assert answer.returncode == 0
    assert all(finding["well"] for finding in needed)


def commands(lab) -> list[str]:
    shown = lab("--help").stdout
    return re.findall(r"^│ (\w+) ", shown[shown.index("Commands") :], flags=re.MULTILINE)


def test_every_command_teaches(lab) -> None:
    names = commands(lab)
    assert {
        "list",
        "doctor",
        "up",
        "run",
        "status",
        "logs",
        "send",
        "dlq",
        "env",
        "synth",
        "diff",
        "down",
        "reset",
    } <= set(names)
    for name in names:
        shown = lab(name, "--help")
        assert shown.returncode == 0
        assert len(shown.stdout.split()) > 15, f"lab {name} --help says next to nothing"
