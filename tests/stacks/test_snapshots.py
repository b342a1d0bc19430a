"""Every stack, in every posture and variant, is what was last looked at and agreed to."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from lab_stacks import catalog
from lambda_src.posture import Posture
from tests.stacks.synthesis import ROOT, Form, Synthesized, readable, synthesize_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion


class Json(SingleFileSnapshotExtension):
    """Keeps every snapshot in a file of its own, as text."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"


def test_template(synthesized: Synthesized, snapshot: SnapshotAssertion) -> None:
    assert readable(synthesized.template) == snapshot(extension_class=Json)


def test_an_edited_handler_leaves_the_snapshot_alone(
    form: Form, synthesized: Synthesized, edit_runtimes: Callable[[], None]
) -> None:
    edit_runtimes()
    assert readable(synthesize_form(form).template) == readable(synthesized.template)


def test_an_edited_handler_is_another_asset(
    synthesized_forms: dict[Form, Synthesized], edit_runtimes: Callable[[], None]
) -> None:
    form = Form(catalog.section("sqs-lambda"), Posture.LAB, "ec2-client")

    original = synthesized_forms[form].assets
    edit_runtimes()
    edited = synthesize_form(form).assets

    assert len(edited) == len(original) == 2
    assert edited.isdisjoint(original)


@pytest.fixture
def edit_runtimes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, every block's runtime code is a copy of it with a line more in every module."""

    def edit() -> None:
        for runtime in (ROOT / "lambda_src").glob("*/runtime"):
            copy = Path(shutil.copytree(runtime, tmp_path / runtime.parent.name / runtime.name))
            for source in copy.rglob("*.py"):
                source.write_text(source.read_text() + "# edited\n")
            for module in list(sys.modules.values()):
                if getattr(module, "RUNTIME", None) == runtime:
                    monkeypatch.setattr(module, "RUNTIME", copy)

    return edit
