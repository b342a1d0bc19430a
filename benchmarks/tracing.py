"""Our tracing against Powertools' Tracer, and against what it may take, of a cold start and of an invocation."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import uv

from benchmarks.comparison import AtMost, Comparison, Side
from benchmarks.workbench import HERE, LAMBDA_PYTHON, measured, run

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workbench import Workbench


# Milliseconds that tracing may add to a cold start, and to an invocation after it.
_COLD = 300.0
_WARM = 1.0


@dataclass(frozen=True)
class _Way:
    """A way to trace, and the folder that has it beside Powertools' Logger and Metrics."""

    name: str
    script_name: str
    folder: Path


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare in a new interpreter that has what AWS Lambda's Python runtime offers: with bytecode, and as deployed.

    A bundle holds no bytecode, and Lambda keeps none, so that a cold start compiles it.
    """
    ours = _Way("our tracing", "tracing", bench.bundle)
    theirs = _Way("Powertools' Tracer", "powertools", _powertools(bench))
    compared = []
    for title, words, most in (
        ("tracing, cold start", ("cold",), _COLD),
        ("tracing, cold start that compiles", ("cold", "-B"), _COLD),
        ("tracing, warm invocation", ("warm",), _WARM),
    ):
        side = Side(f"{ours.name}: {title}", partial(_trace, bench, ours, *words))
        alternative = Side(theirs.name, partial(_trace, bench, theirs, *words))
        limit = Side("what it may take", partial(float, most))
        compared += [
            Comparison(title, side, alternative, "ms"),
            Comparison(title, side, limit, "ms", AtMost(1)),
        ]
    return compared


def _powertools(bench: Workbench) -> Path:
    """Bundle what a function has that uses Powertools' Tracer."""
    folder = bench.folder / "powertools"
    requirements = HERE / "powertools" / "requirements.txt"
    install = ("--quiet", "--no-config", "--no-deps", "--python", LAMBDA_PYTHON, "--target", folder)
    run(uv.find_uv_bin(), "pip", "install", *install, "--requirements", requirements, environment=bench.environment)
    return folder


def _trace(bench: Workbench, way: _Way, measure: str, *flags: str) -> float:
    folder = _without_bytecode(bench, way) if "-B" in flags else way.folder
    environment = {
        **bench.environment,
        "AWS_DEFAULT_REGION": "us-east-1",
        # Without any, botocore would look elsewhere for them.
        "AWS_ACCESS_KEY_ID": "unused",
        "AWS_SECRET_ACCESS_KEY": "unused",
        "HOME": str(bench.folder),
    }
    words = (str(folder), way.script_name, measure)
    return measured("trace.py", *words, python=LAMBDA_PYTHON, environment=environment, flags=flags)


def _without_bytecode(bench: Workbench, way: _Way) -> Path:
    folder = bench.folder / f"{way.script_name}-deployed"
    if not folder.exists():
        shutil.copytree(way.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder
