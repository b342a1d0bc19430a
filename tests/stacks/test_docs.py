"""The pages are true: what comes from code is up to date, every example runs, every link leads somewhere."""

from __future__ import annotations

import re
import runpy
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
import typer

from docs import blocks, make_lab, pages, sections
from lab import runbook
from lab.cli import app
from lab.project import ROOT
from lab_stacks import catalog

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted(blocks.EXAMPLES.glob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_what_comes_from_code_is_what_the_code_says_now() -> None:
    stale = [name(path) for path, text in pages.written().items() if not path.exists() or path.read_text() != text]

    assert stale == [], "run `make docs`"


def test_every_block_has_a_page_with_an_example() -> None:
    assert [path.stem for path in EXAMPLES] == blocks.NAMES
    assert sorted(path.stem for path in (pages.DOCS / "blocks").glob("*.md")) == blocks.NAMES


@pytest.mark.parametrize("value", ["size * 2", "sizes.twice(size)"], ids=["expression", "function"])
def test_an_attribute_whose_type_cannot_be_seen_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    (tmp_path / "unseen.py").write_text(
        "from constructs import Construct\n\n\n"
        "class Unseen(Construct):\n"
        '    """A block.\n\n    :param size: of it.\n    """\n\n'
        "    def __init__(self, scope, construct_id, *, size: int = 1) -> None:\n"
        "        super().__init__(scope, construct_id)\n"
        "        #: Twice the size.\n"
        f"        self.twice = {value}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "unseen", raising=False)
    module = import_module("unseen")
    monkeypatch.setattr(blocks, "load", lambda _: blocks.Block(module, module.Unseen))

    with pytest.raises(TypeError, match=re.escape(f"Unseen: annotate `self.twice = {value}`")):
        blocks.page("network")


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_the_example_of_a_block_synthesizes(example: Path) -> None:
    runpy.run_path(str(example))


def test_the_app_in_the_readme_synthesizes(tmp_path: Path) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), flags=re.S | re.M)
    script = tmp_path / "app.py"
    script.write_text(code)

    made = runpy.run_path(str(script))

    assert made["app"].synth().stacks


@pytest.mark.parametrize("entry", catalog.SECTIONS, ids=lambda entry: entry.id)
def test_what_a_page_says_to_be_shown_by_a_check_is_one_of_its_runbook(entry: catalog.CatalogEntry) -> None:
    titles = {check.title for check in runbook.of(entry).checks}
    page = (ROOT / "docs" / "sections" / f"{entry.id}.md").read_text()
    tables = re.findall(r"^\|.* \| Shown by the check \|\n\|[-| ]+\|\n((?:\|.*\|\n)+)", page, flags=re.MULTILINE)
    cells = [row.strip("|").rpartition("|")[2].strip() for rows in tables for row in rows.splitlines()]
    named = {one for cell in cells if not cell.startswith("tested ") for one in cell.split("; ")} - {"", "the same"}

    assert named <= titles
    # These two name what shows a line of the chapter in other ways.
    assert bool(tables) == (entry.id not in {"eks-anywhere", "xray"})


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_of_the_repository_or_to_aws(page: Path) -> None:
    links = re.findall(r"(?<!`)\]\(([^)\s]+)\)|<(https?://[^>]+)>|\bsrc=\"([^\"]+)\"", page.read_text())
    for link in ("".join(found) for found in links):
        target, _, _ = link.partition("#")
        to_aws = re.match(r"https://([a-z]+\.)*(aws(\.amazon)?|amazonaws)\.(com|cloud)/", target)
        assert to_aws or not target or (page.parent / target).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_lab_command_in_a_page_exists(page: Path) -> None:
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    mentioned = re.findall(r"(?:^|`|\$ )lab ([a-z]+(?:-[a-z]+)*)", page.read_text(), flags=re.M)

    assert set(mentioned) <= set(known)


def test_the_picture_of_make_lab_needs_nothing_from_elsewhere() -> None:
    svg = (pages.DOCS / "make-lab.svg").read_text()

    assert set(re.findall(r"https?://[^/\"&]+", svg)) <= {"http://www.w3.org", "http://127.0.0.1:4566:"}
    assert "9 passed" in svg.replace("&#160;", " ")


def test_what_a_spinner_wrote_over_is_not_in_the_picture_of_a_terminal() -> None:
    status, shown = make_lab.on_a_terminal(["printf", r"Deploying\r\033[2Kdone\nwaiting\n\r\033[1A\033[2Kend"])

    assert (status, shown) == (0, "done\nend")


def test_a_page_keeps_what_a_person_wrote_around_the_parts_that_come_from_code() -> None:
    begin, end = pages.markers("outputs")

    assert pages.filled(f"before {begin} old {end} after", {"outputs": "new"}) == (
        f"before {begin}\n\nnew\n\n{end} after"
    )


def test_a_page_without_the_markers_of_a_part_is_named_as_such() -> None:
    with pytest.raises(ValueError, match="lacks the markers of its part outputs"):
        pages.filled("no markers", {"outputs": "new"})


def test_the_page_of_a_new_section_begins_with_its_heading_and_every_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    [entry, *_] = pages.catalog.SECTIONS

    begun = pages.begun(entry)

    assert begun.startswith(f"# {entry.heading}\n")
    assert pages.filled(begun, dict.fromkeys(sections.PARTS, "here")).count("here") == len(sections.PARTS)
