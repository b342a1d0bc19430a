"""The parts of a section's page that come from code: picture, outputs, checks; and the table of all sections."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import App

from docs.markdown import table
from lab import runbook, template_graph
from lab.project import ROOT
from lab.runbook import Evidence
from lab.views.picture import picture
from lab_stacks import catalog
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = ["picture", "outputs", "checks"]


def index() -> str:
    """Write the table of the sections, with what of each runs locally."""
    rows = [
        [f"[`{entry.id}`](docs/sections/{entry.id}.md)", entry.heading, entry.shows, _locally(entry)]
        for entry in catalog.SECTIONS
    ]
    return table(["Section", "In the chapter", "Shows", "Checks of its runbook"], rows)


def parts(entry: catalog.CatalogEntry) -> dict[str, str]:
    """Write the parts of a section's page."""
    forms = {"": _template(entry, {})}
    forms |= {_flags(context): _template(entry, context) for context in entry.variants.values()}
    return {"picture": _pictures(forms), "outputs": _outputs(forms), "checks": _checks(entry)}


def _template(entry: catalog.CatalogEntry, context: Mapping[str, str]) -> dict[str, Any]:
    """Synthesize a form of a section, with the paths of its constructs, as the CDK CLI asks for them."""
    settings = json.loads((ROOT / "cdk.json").read_text())["context"]
    with tempfile.TemporaryDirectory() as folder:
        app = App(
            context={**settings, **context, "aws:cdk:enable-path-metadata": True},
            outdir=folder,
            analytics_reporting=False,
        )
        stack = entry.stack(app, Posture.LAB)
        app.synth()
        template: dict[str, Any] = json.loads(Path(folder, stack.template_file).read_text())
        return template


def _flags(context: Mapping[str, str]) -> str:
    return " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in context.items())


def _pictures(forms: Mapping[str, Mapping[str, Any]]) -> str:
    return "\n\n".join(_folded(flags, f"```mermaid\n{picture(template)}```") for flags, template in forms.items())


def _folded(flags: str, drawn: str) -> str:
    """Fold the pictures of the variants away: the section's own is what the page begins with."""
    return f"<details><summary>With <code>{flags}</code></summary>\n\n{drawn}\n\n</details>" if flags else drawn


def _outputs(forms: Mapping[str, Mapping[str, Any]]) -> str:
    rows: dict[str, list[str]] = {}
    for flags, template in forms.items():
        nodes = template_graph.read(template).nodes
        for name, output in template.get("Outputs", {}).items():
            made_with = f"with `{flags}`" if flags else "always"
            rows.setdefault(name, [f"`{name}`", _origin(output["Value"], nodes), made_with])
    return table(["Output", "Of", "Made"], rows.values())


def _origin(value: Any, nodes: Mapping[str, template_graph.Node]) -> str:
    """Name the construct whose reference or attribute a value is."""
    match value:
        case {"Ref": str(own)} if own in nodes:
            return f"`{nodes[own].resource.name}`"
        case {"Fn::GetAtt": [str(own), str(attribute)]} if own in nodes:
            return f"`{nodes[own].resource.name}`, its `{attribute}`"
    return "several resources"


def _checks(entry: catalog.CatalogEntry) -> str:
    rows = [
        [check.title, (check.find_out.__doc__ or "").strip().splitlines()[0], check.evidence.value]
        for check in runbook.of(entry).checks
    ]
    return table(["Check", "How", "Locally it rests on"], rows)


def _locally(entry: catalog.CatalogEntry) -> str:
    counts = Counter(check.evidence for check in runbook.of(entry).checks)
    return ", ".join(f"{counts[evidence]} {evidence.value}" for evidence in Evidence if counts[evidence])
