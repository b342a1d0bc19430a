"""The two handlers that are compared, each as AWS Lambda would find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.workbench import HERE

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workbench import Workbench

#: The environment variables of the function; the chapter's handler reads none.
VARIABLES = {"TABLE_NAME": "Message", "POWERTOOLS_SERVICE_NAME": "sqs-lambda"}


@dataclass(frozen=True)
class Handler:
    """A function of a module, and the folder that has it and all that it needs."""

    name: str
    folder: Path
    module: str
    function: str


CHAPTER = Handler("the chapter's handler", HERE / "chapter", "lambda_function", "lambda_handler")


def ours(bench: Workbench) -> Handler:
    """Bundle our handler."""
    return Handler("our handler", bench.bundle, "runtime.handler", "handler")
