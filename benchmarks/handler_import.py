"""The handler's import, its client included, against the chapter's: what a cold start adds to AWS Lambda's own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import handlers
from benchmarks.comparison import AtMost, Comparison, Side
from benchmarks.workbench import LAMBDA_PYTHON, measured

if TYPE_CHECKING:
    from benchmarks.handlers import Handler
    from benchmarks.workbench import Workbench


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare in a new interpreter that has what AWS Lambda's Python runtime offers: with bytecode, and as deployed.

    A bundle holds no bytecode, as its Python is seldom the one that bundles, and Lambda keeps none: at a cold start
    it compiles the bundle, but not boto3, which is its own.
    """
    ours = handlers.ours(bench)
    deployed = replace(ours, folder=bench.folder / "deployed")
    shutil.copytree(ours.folder, deployed.folder, ignore=shutil.ignore_patterns("__pycache__"))
    chapter = Side(handlers.CHAPTER.name, partial(_import, bench, handlers.CHAPTER))
    return [
        Comparison(title, Side(title, measure), chapter, "ms", target)
        for title, measure, target in (
            ("import of the handler", partial(_import, bench, ours), AtMost(1.2)),
            ("import, compiling the bundle", partial(_import, bench, deployed, "-B"), None),
        )
    ]


def _import(bench: Workbench, handler: Handler, *flags: str) -> float:
    environment = {
        **bench.environment,
        **handlers.VARIABLES,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        # Lambda gives a function credentials in its environment; without any, botocore would look elsewhere.
        "AWS_ACCESS_KEY_ID": "unused",
        "AWS_SECRET_ACCESS_KEY": "unused",
        "AWS_SESSION_TOKEN": "unused",
        # Nor does a function have a home with settings in it.
        "HOME": str(bench.folder),
    }
    words = (str(handler.folder), handler.module)
    return measured("import_module.py", *words, python=LAMBDA_PYTHON, environment=environment, flags=flags)
