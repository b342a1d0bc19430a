"""What every test shares."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lab_stacks.catalog import CatalogEntry

# The CDK runs on the first Node.js of PATH: let that be the virtual environment's, never the machine's.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
# Those with the emulator take longest, and mostly wait: they begin first, and the short ones fill the gaps at the end.
_FIRST = ["e2e", "stacks", "unit"]


# Before pytest-xdist reads the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share the tests out by files, and those of many sections by the sections: a process has what they share once."""
    items.sort(key=lambda item: _FIRST.index(item.path.parent.name))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop if pytest-xdist does not group: every process would then deploy every section, without a word.

    With pytest 9.2, pytest-xdist 3.8 does not.
    """
    grouped = all("@" in item.nodeid for item in session.items)
    if hasattr(session.config, "workerinput") and session.config.getvalue("loadgroup") and not grouped:
        raise pytest.UsageError("this pytest-xdist ignores the groups of tests with this pytest: pin ones that agree")


def _group(item: pytest.Item) -> str:
    """Name what a test shares with others: the section that it is about, or its file."""
    folder, parameters = item.path.parent.name, getattr(item, "callspec", None)
    entries = [getattr(value, "entry", value) for value in parameters.params.values()] if parameters else []
    for entry in entries:
        if isinstance(entry, CatalogEntry):
            return f"{folder} {entry.module}"
    return f"{folder} {item.path.stem.removeprefix('test_')}"
