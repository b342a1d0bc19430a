"""The questions that `lab traces` refuses, before it asks anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAB = Path(sys.executable).with_name("lab")


@pytest.fixture
def lab(tmp_path: Path):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "SERVERLESS_LAB_HOME": str(tmp_path), "COLUMNS": "200"}
        return subprocess.run(
            [LAB, "traces", *words], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    return run


# The same for both targets: nothing is asked of AWS either.
@pytest.mark.parametrize("target", ["local", "aws"])
def test_a_mistake_in_a_filter_expression_is_pointed_at(lab, target: str) -> None:
    answer = lab("list", "--filter", 'annotation[id] = "1" AND servce()', "--target", target)
    assert answer.returncode == 2
    assert answer.stderr.splitlines() == [
        "lab: --filter: There is no keyword servce; did you mean service?",
        '  annotation[id] = "1" AND servce()',
        "                           ^",
    ]
    assert answer.stdout == ""


@pytest.mark.parametrize("words", [["list"], ["show", "1-5"], ["graph"]])
def test_a_length_of_time_that_is_none_is_refused(lab, words: list[str]) -> None:
    answer = lab(*words, "--since", "yesterday")
    assert answer.returncode == 2
    assert "such as 30s or 2h" in answer.stderr


@pytest.mark.parametrize("words", [["list"], ["show", "1-5"], ["graph"]])
def test_without_an_emulator_it_says_how_to_start_one(lab, words: list[str]) -> None:
    answer = lab(*words)
    assert answer.returncode == 1
    assert "The emulator does not run: `lab up` starts it" in answer.stderr
