"""What the emulator keeps of a service whose state changes while it is written, on the emulator's own interpreter."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from lab.project import ROOT, python_of

if TYPE_CHECKING:
    from pathlib import Path

#: A task starts on a thread just when its service's state is copied for the first time.
STOPPING = """
from ministack import app
from lab.emulation import persistence

persistence.extend()
tasks, changes = {"1": "RUNNING"}, iter([True])

def get_state():
    copied = {}
    for arn, status in tasks.items():
        if next(changes, False):
            tasks["2"] = "RUNNING"
        copied[arn] = status
    return {"tasks": copied}

app.save_all({"ecs": get_state, "absent": lambda: None})
"""


def test_a_state_that_changes_while_it_is_copied_is_kept_whole(tmp_path: Path) -> None:
    environ = {**os.environ, "PERSIST_STATE": "1", "STATE_DIR": str(tmp_path)}
    subprocess.run(
        [python_of("emulator"), "-c", STOPPING], env=environ, cwd=ROOT, check=True, capture_output=True, timeout=60
    )

    assert [path.name for path in tmp_path.glob("*.json")] == ["ecs.json"]
    kept = json.loads((tmp_path / "ecs.json").read_text())["payload"]
    assert kept == {"tasks": {"1": "RUNNING", "2": "RUNNING"}}
