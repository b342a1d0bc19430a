"""The pages of the packages that functions share: what each one's module says of itself."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from lambda_src import data_access, tracing

if TYPE_CHECKING:
    from types import ModuleType

#: The packages that have a page, by the page's name.
PAGES: dict[str, tuple[str, ModuleType]] = {
    "tracing": ("Tracing", tracing),
    "data-access": ("Data access", data_access),
}


def page(name: str) -> str:
    """Write the page of one of them."""
    title, module = PAGES[name]
    said, _, source = (inspect.getdoc(module) or "").partition("\n\nSource: ")
    # Every second part is code.
    parts = said.split("```")
    parts[::2] = map(_prose, parts[::2])
    written = f"<!-- Written by `make docs` from {module.__name__.replace('.', '/')}/__init__.py. -->"
    return "\n\n".join([written, f"# {title}", "```".join(parts), "## Source", f"<{source}>"]) + "\n"


def _prose(text: str) -> str:
    """Turn a docstring's text into Markdown, with a line for each paragraph and for each point of a list."""
    return re.sub(r"(?<=\S)\n *(?=[^\s-])", " ", text).replace("``", "`")
