"""The app as the CDK CLI starts it: what context chooses, what it needs, what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError
from lambda_src.posture import Posture
from tests.stacks.synthesis import CONTEXT, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECTIONS = ", ".join(entry.id for entry in catalog.SECTIONS)


def run_app(outdir: Path, context: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the app for a user who has no AWS configuration."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({**CONTEXT, **context}),
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_it_needs_no_credentials_and_looks_nothing_up(tmp_path: Path) -> None:
    done = run_app(tmp_path, {})

    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert "missing" not in manifest
    assert {entry.stack_id for entry in catalog.SECTIONS} <= set(manifest["artifacts"])


def test_an_unknown_section_is_one_sentence_with_the_known_ones(tmp_path: Path) -> None:
    done = run_app(tmp_path, {"section": "sqs_lambada"})

    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == (
        f"There is no section sqs_lambada. Did you mean sqs-lambda? The sections are: {SECTIONS}."
    )
    assert "Traceback" not in done.stderr


def test_a_misspelt_setting_is_refused_rather_than_ignored() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no setting cleint\. Did you mean client\?"):
        catalog.add_sections(cdk.App(context={**CONTEXT, "section": "sqs-lambda", "cleint": "ec2"}))


def test_an_unknown_posture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError) as refusal:
        catalog.add_sections(cdk.App(context={"posture": "prod"}))

    assert str(refusal.value) == "There is no posture prod. Did you mean production? The postures are: lab, production."


def test_a_section_alone_is_made_when_context_names_it() -> None:
    stacks = catalog.add_sections(cdk.App(context={**CONTEXT, "section": "sqs-lambda", "posture": "production"}))

    assert [(stack.node.id, stack.posture) for stack in stacks] == [("SqsLambda", Posture.PRODUCTION)]


def test_reading_the_catalog_loads_neither_a_stack_nor_the_cdk() -> None:
    code = (
        "import lab_stacks.catalog, sys; print([name for name in sys.modules if name.startswith(('aws_cdk', 'jsii'))])"
    )

    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"
