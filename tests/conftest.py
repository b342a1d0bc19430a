"""What every test shares."""

import os
import sys
from pathlib import Path

import pytest

# The CDK runs on the first Node.js of PATH: let that be the virtual environment's, never the machine's.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share the tests out by files; all of the stacks' go to one worker, which synthesizes the chapter once."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group("stacks" if _is_of_stacks(item) else item.path.stem))
    # They are the longest part, so they begin at once.
    items.sort(key=_is_of_stacks, reverse=True)


def _is_of_stacks(item: pytest.Item) -> bool:
    return "stacks" in item.path.parts
