"""`cdk synth` of the app against that of others, with the same CLI and the same feature flags."""

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.comparison import AtMost, Comparison, Side
from benchmarks.workbench import HERE, SECTION, seconds
from lab.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workbench import Workbench


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare as a developer has it, with the bundles of the synthesis before, and without them."""
    empty = Side("an empty app", partial(_synth, bench, _app(bench, "empty")))
    plain = Side("plain CDK code for the lab", partial(_synth, bench, _app(bench, "plain", str(HERE / "chapter"))))
    every = Side("synth, every section", partial(_synth_ours, bench, bench.folder / "every"))
    one = Side(
        f"synth, {SECTION}", partial(_synth_ours, bench, bench.folder / "one", "--context", f"section={SECTION}")
    )
    cold = Side("synth, bundling everything", partial(_synth_cold, bench, bench.folder / "cold"))
    return [
        Comparison(every.name, every, empty, "s", AtMost(1.9)),
        Comparison(one.name, one, empty, "s", AtMost(1.2)),
        Comparison(one.name, one, plain, "s"),
        Comparison(cold.name, cold, empty, "s"),
    ]


def _synth(bench: Workbench, folder: Path, *words: str) -> float:
    return seconds(lambda: bench.cdk("synth", "--quiet", *words, folder=folder))


def _synth_ours(bench: Workbench, assembly: Path, *words: str) -> float:
    return _synth(bench, ROOT, "--output", str(assembly), *words)


def _synth_cold(bench: Workbench, assembly: Path) -> float:
    shutil.rmtree(assembly, ignore_errors=True)
    return _synth_ours(bench, assembly)


def _app(bench: Workbench, name: str, *words: str) -> Path:
    """Make the folder of another CDK app, with our feature flags."""
    folder = bench.folder / name
    folder.mkdir()
    command = " ".join(["python", *(f'"{word}"' for word in (str(HERE / "apps" / f"{name}.py"), *words))])
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    (folder / "cdk.json").write_text(json.dumps({"app": command, "context": flags}))
    return folder
