"""The JavaScript of resolvers: what AppSync does not run is refused, and a module that MiniStack lacks is there.

What AppSync runs and the emulator does not, of ``extensions``, is refused when it is called, under whatever name. What
MiniStack's ``get`` of DynamoDB leaves out of a request is in it.

Node.js runs the code, which has all of JavaScript. AppSync has less of it, and refuses the rest when a resolver is made
or evaluated. The parser that Node.js is built with reads the code here, for what AppSync has no syntax for; which
methods AppSync has, and which functions may be passed on, its linter knows, and the tests run that.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/supported-features.html
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ministack.core import appsync_js
from ministack.core.responses import error_response_json
from ministack.services import appsync

from lab.emulation.tracing.hooks import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_HERE = Path(__file__).parent
_CHECK = _HERE / "code_check.js"
_REFUSED_EXTENSIONS = (_HERE / "refused_extensions.js").read_text()
_GET = (_HERE / "dynamodb_get.js").read_text()
_RDS = (_HERE / "rds_module.js").read_text()
_RDS_IMPORT = re.compile(r"^import\s*\{[^}]*\}\s*from\s*['\"]@aws-appsync/utils/rds['\"];?[ \t]*$", re.MULTILINE)
_ERRORS = "The code contains one or more errors."

Body = dict[str, Any]
Problem = dict[str, Any]


def extend() -> None:
    """Check code where it comes in, and complete it where it is run."""
    for operation in ("_create_resolver", "_update_resolver", "_create_function", "_update_function"):
        wrap(appsync, operation, _with_code_checked)
    wrap(appsync, "_evaluate_code", _evaluated)
    wrap(appsync_js, "evaluate", lambda evaluate, code, *rest, **options: evaluate(_complete(code), *rest, **options))


def _with_code_checked(operation: Callable[..., Any], *arguments: Any) -> Any:
    code = arguments[-1].get("code")
    if code and problems_of(code):
        return error_response_json("BadRequestException", _ERRORS, 400)
    return operation(*arguments)


def _evaluated(evaluate: Callable[[Body], Any], body: Body) -> Any:
    problems = problems_of(body.get("code") or "")
    if problems:
        return appsync._json(200, {"error": {"message": _ERRORS, "codeErrors": list(problems)}, "logs": []})
    return evaluate(body)


def _complete(code: str) -> str:
    return _REFUSED_EXTENSIONS + _GET + _RDS_IMPORT.sub(lambda _: _RDS, code, count=1)


@lru_cache(maxsize=1024)
def problems_of(code: str) -> tuple[Problem, ...]:
    """Say what of the code AppSync does not run, each with where it is."""
    return tuple(_parser.ask(code))


class _Parser:
    """A process of Node.js that reads code, made when it is first needed."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, code: str) -> list[Problem]:
        with self._alone:
            if self._process is None or self._process.poll() is not None:
                # With what Node.js keeps for itself, the parser.
                words = ["node", "--expose-internals", str(_CHECK)]
                self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert self._process.stdin is not None  # noqa: S101 - for mypy: both are pipes
            assert self._process.stdout is not None  # noqa: S101
            self._process.stdin.write(json.dumps(code) + "\n")
            self._process.stdin.flush()
            found: list[Problem] = json.loads(self._process.stdout.readline())
            return found


_parser = _Parser()
