"""The page of the tracing that every handler has: what its module says of itself."""

from __future__ import annotations

import inspect
import re

from lambda_src import tracing


def page() -> str:
    """Write the page."""
    said, _, source = (inspect.getdoc(tracing) or "").partition("\n\nSource: ")
    # Every second part is code.
    parts = said.split("```")
    parts[::2] = map(_prose, parts[::2])
    written = "<!-- Written by `make docs` from lambda_src/tracing/__init__.py. -->"
    return "\n\n".join([written, "# Tracing", "```".join(parts), "## Source", f"<{source}>"]) + "\n"


def _prose(text: str) -> str:
    """Turn a docstring's text into Markdown, with a line for each paragraph and for each point of a list."""
    return re.sub(r"(?<=\S)\n *(?=[^\s-])", " ", text).replace("``", "`")
