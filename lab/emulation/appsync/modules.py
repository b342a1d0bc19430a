"""AppSync's own modules that MiniStack's JavaScript lacks: put in the place of the lines that import them."""

from __future__ import annotations

import re
from pathlib import Path

_RDS = Path(__file__).with_name("rds_module.js").read_text()
_IMPORT = re.compile(r"^import\s*\{[^}]*\}\s*from\s*['\"]@aws-appsync/utils/rds['\"];?[ \t]*$", re.MULTILINE)


def with_modules(code: str) -> str:
    """Put what ``@aws-appsync/utils/rds`` exports into code that imports it."""
    return _IMPORT.sub(lambda _: _RDS, code, count=1)
