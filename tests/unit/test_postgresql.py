"""PostgreSQL is installed when a section first needs it, and never for one that does not."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from lab import postgresql
from lab.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path


class Steps:
    def __init__(self) -> None:
        self.said: list[str] = []

    def step(self, text: str) -> None:
        self.said.append(text)

    detail = note = step


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """Note what would be run, and let nothing be installed yet."""
    ran: list[list[Any]] = []

    def run(command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 1, "", "set-up: a line\nset-up: there is no network")

    monkeypatch.setattr(postgresql, "python_of", lambda name: tmp_path / name)
    monkeypatch.setattr(subprocess, "run", run)
    return ran


def assembly(folder: Path, **properties: str) -> Path:
    resources = {"One": {"Type": "AWS::RDS::DBCluster", "Properties": properties}, "Two": {"Type": "AWS::SQS::Queue"}}
    (folder / "Section.template.json").write_text(json.dumps({"Resources": resources}))
    return folder


def test_what_cannot_be_installed_is_said_with_the_reason(tmp_path: Path, commands: list[list[Any]]) -> None:
    steps = Steps()

    with pytest.raises(LabError, match=r"PostgreSQL for the emulator could not be installed: .*there is no network"):
        postgresql.install_for(assembly(tmp_path, Engine="aurora-postgresql"), steps)
    assert steps.said == ["Installing PostgreSQL for the emulator, once (20 MB)"]
    assert commands[0][1:] == [postgresql.ROOT / "set_up.py", "postgresql"]


def test_a_section_that_needs_none_installs_none(tmp_path: Path, commands: list[list[Any]]) -> None:
    postgresql.install_for(assembly(tmp_path, Engine="aurora-mysql"), Steps())
    assert commands == []


def test_what_is_there_is_not_installed_again(tmp_path: Path, commands: list[list[Any]]) -> None:
    (tmp_path / "postgresql").touch()
    postgresql.install_for(assembly(tmp_path, Engine="aurora-postgresql"), Steps())
    assert commands == []
