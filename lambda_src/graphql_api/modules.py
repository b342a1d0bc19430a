"""Makes one file of a resolver and of what it imports, as AppSync takes code: it has no module loader. Knows no CDK.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/additional-utilities.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: The longest code that AppSync takes, in characters.
LONGEST_CODE = 32_000
_IMPORT = re.compile(
    r"^import\s+(?:\{(?P<names>[^}]*)\}|\*\s+as\s+(?P<all>\w+))\s+from\s+['\"](?P<module>[^'\"]+)['\"];?[ \t]*\n?",
    re.MULTILINE,
)


class ResolverCodeError(ValueError):
    """A file of resolver code that cannot become one that AppSync takes; the message says where and why."""


def bundled(file: Path) -> str:
    """Write ``file`` and the files that it imports (``./errors.js``) as one, imports of AppSync's own modules first.

    :raises ResolverCodeError: when a file is not there, or the whole is longer than AppSync takes.
    """
    imports: dict[str, set[str]] = {}
    parts: dict[Path, str] = {}
    _add(file, imports, parts)
    lines = [f"import {' '.join(names)} from '{module}';" for module, names in _merged(imports)]
    code = "\n".join([*lines, "", *parts.values()])
    if len(code) > LONGEST_CODE:
        raise ResolverCodeError(
            f"{file.name} has {len(code):,} characters with what it imports: at most {LONGEST_CODE:,}"
        )
    return code


def _add(file: Path, imports: dict[str, set[str]], parts: dict[Path, str], importer: Path | None = None) -> None:
    if not file.is_file():
        wanted = f", which {importer.name} imports" if importer else ""
        raise ResolverCodeError(f"{file} does not exist{wanted}")
    text = file.read_text()
    for found in _IMPORT.finditer(text):
        module = found["module"]
        if module.startswith("."):
            other = (file.parent / module).resolve()
            if other not in parts:
                _add(other, imports, parts, importer=file)
        else:
            names = [found["all"] and f"* as {found['all']}"] if found["all"] else found["names"].split(",")
            imports.setdefault(module, set()).update(name.strip() for name in names if name.strip())
    own = _IMPORT.sub("", text)
    # What another file exports is this file's own now; what the first exports is what AppSync calls.
    parts[file.resolve()] = own if importer is None else re.sub(r"^export\s+", "", own, flags=re.MULTILINE)


def _merged(imports: dict[str, set[str]]) -> list[tuple[str, list[str]]]:
    merged = []
    for module, names in imports.items():
        merged += [(module, [name]) for name in sorted(names) if name.startswith("*")]
        named = sorted(name for name in names if not name.startswith("*"))
        if named:
            merged.append((module, [f"{{ {', '.join(named)} }}"]))
    return merged
