"""The catalog finds sections by id, says what there is, and loads a stack only when it is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError, known

ROOT = Path(__file__).resolve().parents[2]


def test_a_misspelt_section_is_guessed_and_all_are_listed() -> None:
    with pytest.raises(UnknownNameError) as error:
        catalog.section("sqs_lamda")
    assert "There is no section sqs_lamda. Did you mean sqs-lambda?" in str(error.value)
    assert all(entry.id in str(error.value) for entry in catalog.SECTIONS)


def test_an_unknown_posture_lists_the_postures() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean production\? The postures are: lab, production"):
        catalog.posture("prod")


def test_a_name_with_underscores_is_guessed_too() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean queue_name\?"):
        known("setting", "queu_name", ["posture", "queue_name"])


def test_nothing_is_guessed_from_nonsense() -> None:
    with pytest.raises(UnknownNameError, match=r"^There is no section zzz\. The sections are: "):
        catalog.section("zzz")


def test_a_section_has_the_same_name_everywhere() -> None:
    for entry in catalog.SECTIONS:
        assert (ROOT / "lab_stacks" / f"{entry.module}.py").is_file()
        assert (ROOT / "lab" / "runbooks" / f"{entry.module}.py").is_file()
        assert (ROOT / "docs" / "sections" / f"{entry.id}.md").is_file()
        assert (ROOT / "tests" / "stacks" / f"test_{entry.module}.py").is_file()


def test_reading_the_catalog_loads_neither_the_cdk_nor_a_stack() -> None:
    code = (
        "import sys; from lab_stacks import catalog; "
        "assert catalog.SECTIONS; "
        "loaded = [name for name in sys.modules if name == 'aws_cdk' or name.startswith('lab_stacks.')]; "
        "assert sorted(loaded) == ['lab_stacks.catalog', 'lab_stacks.names'], loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
