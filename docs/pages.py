"""Which pages come from code, whole or in parts, and what they should say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs import blocks, sections, shared_packages
from lab.project import ROOT
from lab_stacks import catalog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DOCS = ROOT / "docs"
README = ROOT / "README.md"


def written() -> dict[Path, str]:
    """Return what every page that comes from code should say; what a person wrote in it stays."""
    return {
        README: filled(README.read_text(), {"blocks": blocks.index(), "sections": sections.index()}),
        **{DOCS / "blocks" / f"{name}.md": blocks.page(name) for name in blocks.NAMES},
        **{DOCS / f"{name}.md": shared_packages.page(name) for name in shared_packages.PAGES},
        **{_page(entry): filled(begun(entry), sections.parts(entry)) for entry in catalog.SECTIONS},
    }


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Put each part between its two markers.

    :raises ValueError: naming a part that has no markers in the page.
    """
    for name, text in parts.items():
        begin, end = markers(name)
        before, begun, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not (begun and ended):
            raise ValueError(f"the page lacks the markers of its part {name}: {begin} {end}")
        page = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    return page


def markers(name: str) -> tuple[str, str]:
    """Return what a part begins and ends with."""
    return f"<!-- {name}: written by `make docs` -->", f"<!-- end of {name} -->"


def _page(entry: catalog.CatalogEntry) -> Path:
    return DOCS / "sections" / f"{entry.id}.md"


def begun(entry: catalog.CatalogEntry) -> str:
    """Read the section's page, or begin one with nothing but the parts that come from code."""
    page = _page(entry)
    if page.exists():
        return page.read_text()
    empty = [f"## {name.capitalize()}\n\n{' '.join(markers(name))}\n" for name in sections.PARTS]
    return "\n".join([f"# {entry.heading}\n", *empty])
