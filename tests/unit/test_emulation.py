"""A MiniStack without a place for one of the extensions is refused at the start, with a sentence that helps."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from lab import emulation

ROOT = Path(__file__).resolve().parents[2]


def operation(data: object, context: object = None) -> None:
    """Stand in for a function of MiniStack's."""


@pytest.fixture(autouse=True)
def ministack(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Stand in for a MiniStack that is newer than the extensions."""
    module = ModuleType("ministack.services.kept")
    module.operation = operation  # type: ignore[attr-defined]
    module.records = {}  # type: ignore[attr-defined]
    for name in ("ministack", "ministack.services"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(metadata, "version", lambda _: "9.9.9")
    return module


def test_hooks_that_are_there_are_no_problem() -> None:
    emulation.require(
        "lab.emulation.some",
        ["ministack.services.kept.operation(data, context)", "ministack.services.kept.records"],
    )


@pytest.mark.parametrize(
    "hook",
    [
        "ministack.services.kept.gone",
        "ministack.services.kept.gone(data)",
        "ministack.services.kept.operation(data)",
        "ministack.services.kept.operation()",
        "ministack.services.gone.operation(data)",
    ],
)
def test_a_hook_that_is_gone_is_named_with_who_needs_it_and_for_which_version_it_was_written(hook: str) -> None:
    with pytest.raises(emulation.MissingHookError) as refused:
        emulation.require("lab.emulation.some", ["ministack.services.kept.records", hook])
    said = str(refused.value)
    assert hook in said
    assert "ministack.services.kept.records" not in said
    for part in ("lab.emulation.some", f"MiniStack {emulation.WRITTEN_FOR}", "MiniStack 9.9.9"):
        assert part in said


def test_all_hooks_that_are_gone_are_said_at_once() -> None:
    with pytest.raises(emulation.MissingHookError, match=r"has no one\.two, no three\.four"):
        emulation.require("lab.emulation.some", ["one.two", "three.four"])


def test_an_extension_whose_module_is_gone_is_refused_likewise() -> None:
    with pytest.raises(emulation.MissingHookError, match=r"lab\.emulation\.\w+ was written for MiniStack"):
        emulation.extend()


def test_the_extensions_are_written_for_the_version_that_is_pinned() -> None:
    pinned = re.search(r"^ministack==(\S+)$", (ROOT / "requirements-emulator.txt").read_text(), flags=re.MULTILINE)
    assert pinned
    assert pinned[1] == emulation.WRITTEN_FOR
