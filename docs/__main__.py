"""Writes the pages, and those parts of pages, that come from code."""

from docs import pages
from lab.project import ROOT

for path, text in pages.written().items():
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
