"""Synthesizes an application's stack, and writes its template as a SAM template."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import Stage

from lambda_src.published_application.sam import NotPublishableError, sam_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Stack
    from constructs import Construct

    from lambda_src.options import Options


def packaged_template(
    options: Options,
    application: Stack,
    metadata: dict[str, Any],
    documents: Mapping[str, Path | None],
    folder: Path,
) -> dict[str, Any]:
    """Synthesize the application's stack, and write its template as a SAM template, with the documents beside it."""
    app = Stage.of(application)
    assert app is not None  # noqa: S101 - for mypy: a stack is in one
    assembly = Path(app.synth().directory)
    template = json.loads((assembly / application.template_file).read_text())
    listed = json.loads((assembly / f"{application.artifact_id}.assets.json").read_text())["files"]
    code = {
        destination["objectKey"]: _relative(assembly / asset["source"]["path"], folder)
        for asset in listed.values()
        if asset["source"].get("packaging") == "zip"
        for destination in asset["destinations"].values()
    }
    copies = {
        name: _relative(Path(shutil.copy(document, assembly / f"{name}-{document.name}")), folder)
        for name, document in documents.items()
        if document
    }
    described = {name: value for name, value in {**metadata, **copies}.items() if value}
    try:
        return sam_template(template, described, code)
    except NotPublishableError as error:
        options.problems.append(f"application {application.node.path}: {error}")
        return {}


def assembly_of(scope: Construct) -> Path:
    """Find the cloud assembly that a construct is synthesized into."""
    stage = Stage.of(scope)
    assert stage is not None  # noqa: S101 - for mypy: a stack is in one
    return Path(stage.outdir)


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path.resolve(), folder.resolve())
