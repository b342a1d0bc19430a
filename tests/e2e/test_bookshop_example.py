"""The example of the bookshop's client is a program of its own: it needs the API, and nothing of the `lab` command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lab.project import ROOT
from lab_stacks.catalog import CatalogEntry, section

from .conftest import run_script

if TYPE_CHECKING:
    from .conftest import Emulated, Lab

EXAMPLE = ROOT / "docs" / "examples" / "bookshop" / "books.py"


def test_it_imports_what_the_page_says_and_no_more_of_what_lab_needs() -> None:
    script = f"""
import sys
from pathlib import Path
imports = [line for line in Path({str(EXAMPLE)!r}).read_text().splitlines() if line.startswith(("import ", "from "))]
exec("\\n".join(imports))
assert {{"boto3", "httpx", "pydantic"}} <= sys.modules.keys()
print(*({{"faker", "filelock", "gql", "psutil", "rich", "typer"}} & sys.modules.keys()))
"""
    assert run_script(script).stdout.split() == []


# Of the catalog's entry, so that it runs in the process that has the section deployed.
@pytest.mark.parametrize("entry", [section("appsync")], ids=lambda entry: entry.id)
def test_it_runs_by_itself(lab: Lab, emulated: Emulated, entry: CatalogEntry) -> None:
    if json.loads(lab("status", "--json").stdout)["sections"][entry.id] == "not deployed":
        lab("up", entry.id)

    environ = {**os.environ, **emulated.settings, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        env={**environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Emma: 1674 cents, delivered\n"
