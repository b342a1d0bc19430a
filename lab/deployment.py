"""Deploys sections with the CDK CLI, and finds what was deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from filelock import FileLock

from lab import cdk, migrations
from lab.errors import LabError, UsageError
from lab.project import LAB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.progress import Progress
    from lab.target import Target
    from lab_stacks.catalog import CatalogEntry

_MADE_ANEW = {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}


@dataclass(frozen=True)
class Deployment:
    """A section that is deployed: its outputs, its stack's status, and clients that reach it."""

    section: CatalogEntry
    target: Target
    outputs: Mapping[str, str]
    status: str

    def output(self, name: str) -> str:
        """Return one of the stack's outputs."""
        return self.outputs[name]

    def client(self, service: str, **options: Any) -> Any:
        """Make a client for one of the target's services."""
        return self.target.session.client(service, **options)  # type: ignore[call-overload]

    def template(self) -> dict[str, Any]:
        """Return the template that was deployed."""
        return _deployed_template(self.section, self.target)

    def physical_ids(self, resource_type: str) -> list[str]:
        """Return the physical ids of the stack's resources of one type."""
        pages = (
            self.client("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=self.section.stack_id)
        )
        return [
            resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            # What is deleted can stay listed.
            if resource["ResourceType"] == resource_type and resource["ResourceStatus"] != "DELETE_COMPLETE"
        ]


def synth(sections: list[CatalogEntry], context: Mapping[str, str], target: Target, progress: Progress) -> str:
    """Synthesize these sections and no others, as the target can take them; return the cloud assembly's path."""
    kept = {name: value for section in sections for name, value in settings_of(section, target).items()}
    chosen = {**kept, **context, "section": ",".join(section.id for section in sections)}
    progress.step(f"Synthesizing {', '.join(section.stack_id for section in sections)}")
    assembly, environ = LAB / f"assembly-{target.name.value}", target.synthesis_environment
    return str(target.fit(cdk.synth(assembly, context=chosen, environ=environ, progress=progress), progress))


def deploy(
    sections: list[CatalogEntry], context: Mapping[str, str], target: Target, progress: Progress
) -> list[Deployment]:
    """Deploy these sections, one after the other where one depends on another."""
    # Another `lab` would replace the cloud assembly between its synthesis and its deployment.
    with FileLock(LAB / f"deploy-{target.name.value}.lock"):
        target.prepare(progress)
        assembly = synth(sections, context, target, progress)
        for section in sections:
            _require_parameters(section, Path(assembly), target)
            _require_migrations_unedited(section, Path(assembly), target)
        target.supply(Path(assembly), progress)
        progress.step("Deploying")
        stacks = [section.stack_id for section in sections]
        words = ("deploy", *stacks, "--app", assembly, "--require-approval", "never", "--progress", "events")
        try:
            cdk.run(*words, progress=progress)
        except KeyboardInterrupt:
            where = flag(target)
            progress.note(
                f"What was deployed so far stays: `lab up{where}` goes on from there, `lab status{where}` shows it."
            )
            raise
    return [find(section, target) for section in sections]


def _require_parameters(section: CatalogEntry, assembly: Path, target: Target) -> None:
    """Make sure that there is a value for all that a section's template asks for, before anything is made.

    :raises UsageError: naming what it asks for, with its description, which says how to give it.
    """
    template = _synthesized(section, assembly)
    stack = described(section, target) or {}
    # What the CDK CLI makes anew keeps no values.
    kept = stack.get("Parameters", []) if stack.get("StackStatus") not in _MADE_ANEW else []
    given = {parameter["ParameterKey"] for parameter in kept}
    for name, parameter in template.get("Parameters", {}).items():
        if "Default" not in parameter and name not in given:
            what = f" ({parameter['Description']})" if "Description" in parameter else ""
            page = f"docs/sections/{section.module}.md"
            raise UsageError(f"{section.id} needs a value for {name}{what}; {page} says what else there is.")


def _require_migrations_unedited(section: CatalogEntry, assembly: Path, target: Target) -> None:
    """Make sure that no migration was edited after it ran, before anything is made.

    The function that migrates refuses it too: then CloudFormation has begun, and takes everything back.

    :raises LabError: naming each that was, and what to do.
    """
    template = _synthesized(section, assembly)
    stack = described(section, target) if migrations.has_any(template) else None
    # Of one in progress, nobody knows yet which ran.
    if stack is None or stack["StackStatus"] in _MADE_ANEW or stack["StackStatus"].endswith("_IN_PROGRESS"):
        return
    if edited := migrations.edited(_deployed_template(section, target), template):
        raise LabError(
            f"{', '.join(edited)}: edited after it ran in {section.id}. Put the old text back, and write the change "
            "into a new file."
        )


def _synthesized(section: CatalogEntry, assembly: Path) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((assembly / f"{section.stack_id}.template.json").read_text())
    return template


def _deployed_template(section: CatalogEntry, target: Target) -> dict[str, Any]:
    client = target.session.client("cloudformation")
    return dict(client.get_template(StackName=section.stack_id)["TemplateBody"])


def find(section: CatalogEntry, target: Target) -> Deployment:
    """Find a section that was deployed before.

    :raises LabError: when it is not deployed.
    """
    stack = described(section, target)
    if stack is None or "Outputs" not in stack:
        raise LabError(f"{section.id} is not deployed: `lab up {section.id}`{flag(target)} does it.")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return Deployment(section, target, outputs, stack["StackStatus"])


def posture_of(sections: list[CatalogEntry], target: Target) -> str | None:
    """Find the posture that these sections are deployed with, if they are.

    :raises UsageError: when they are deployed with different ones.
    """
    stacks = [stack for section in sections if (stack := described(section, target))]
    postures = {tag["Value"] for stack in stacks for tag in stack.get("Tags", []) if tag["Key"] == "posture"}
    if len(postures) > 1:
        raise UsageError("These sections are deployed with different postures: name the one to deploy, --posture ...")
    return postures.pop() if postures else None


def settings_of(section: CatalogEntry, target: Target) -> dict[str, str]:
    """Find the context that a section was deployed with, where its output ``Settings`` keeps it."""
    stack = described(section, target) or {}
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    kept: dict[str, str] = json.loads(outputs.get("Settings", "{}"))
    return kept


def described(section: CatalogEntry, target: Target) -> dict[str, Any] | None:
    """Describe the section's stack, if there is one."""
    try:
        stacks = target.session.client("cloudformation").describe_stacks(StackName=section.stack_id)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return dict(stacks[0])


def flag(target: Target) -> str:
    """Write the option that a command needs for this target."""
    return "" if target.name.value == "local" else f" --target {target.name.value}"
