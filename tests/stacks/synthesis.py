"""Synthesizes the chapter as the CDK CLI would: every section, in every posture and variant."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import aws_cdk as cdk

from lab_stacks import catalog
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]


@dataclass(frozen=True)
class Form:
    """One form of one section: its posture, and for a variant the context that asks for it."""

    entry: catalog.CatalogEntry
    posture: Posture
    variant: str | None = None

    def __str__(self) -> str:
        return ".".join(filter(None, [self.entry.id, self.variant, self.posture.value]))

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def context(self) -> dict[str, str]:
        return {"posture": self.posture.value, **(self.entry.variants[self.variant] if self.variant else {})}


FORMS = [
    Form(entry, posture, variant)
    for entry in catalog.SECTIONS
    for variant in (None, *entry.variants)
    for posture in Posture
]


@dataclass(frozen=True)
class Synthesized:
    """A stack, and the cloud assembly that it is in."""

    stack: cdk.Stack
    assembly: Path

    @property
    def template_file(self) -> Path:
        return self.assembly / f"{self.stack.artifact_id}.template.json"

    @property
    def template(self) -> dict[str, Any]:
        template: dict[str, Any] = json.loads(self.template_file.read_text())
        return template

    @property
    def assets(self) -> set[str]:
        """Hashes of everything that is uploaded beside the template."""
        listed = json.loads((self.assembly / f"{self.stack.artifact_id}.assets.json").read_text())
        return {name for name, file in listed["files"].items() if not file["source"]["path"].endswith(".template.json")}


Key = TypeVar("Key")
Made = TypeVar("Made")


class OnDemand(dict[Key, Made]):
    """What ``make`` makes of each key, once it is asked for."""

    def __init__(self, make: Callable[[Key], Made]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Key) -> Made:
        self[key] = made = self._make(key)
        return made


def synthesize(context: Mapping[str, str]) -> dict[str, Synthesized]:
    """Synthesize what ``context`` asks for; the answer is by section."""
    app = cdk.App(context={**CONTEXT, **context}, analytics_reporting=False)
    stacks = catalog.add_sections(app)
    assembly = Path(app.synth().directory)
    return {stack.tags.tag_values()["section"]: Synthesized(stack, assembly) for stack in stacks}


def synthesize_form(form: Form) -> Synthesized:
    """Synthesize one form of one section."""
    return synthesize({**form.context, "section": form.entry.id})[form.entry.id]


def readable(template: Mapping[str, Any]) -> str:
    """Write a template without what changes when only code does, and without what the CDK adds to every one."""
    template = {name: dict(part) if isinstance(part, dict) else part for name, part in template.items()}
    template["Parameters"].pop("BootstrapVersion")
    template["Rules"].pop("CheckBootstrapVersion")
    text = json.dumps({name: part for name, part in template.items() if part}, indent=2)
    text = re.sub(r"\b[0-9a-f]{64}\b", "<asset>", text)
    # The logical ids of a function's version, and of an instance with its user data, end in a hash of their contents.
    return re.sub(r"(?<=[0-9A-F]{8})([0-9a-f]{32}|[0-9a-f]{16})\b", "<contents>", text) + "\n"


def resources(template: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Find the properties of every resource of a type, such as ``AWS::SQS::Queue``, by logical id."""
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def only(template: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the properties of the only resource of a type."""
    [properties] = resources(template, kind).values()
    return properties


def permissions(template: Mapping[str, Any], role: str) -> dict[str, Any]:
    """List what the role of this logical id may do: the actions, and the resource of each."""
    return {
        action: statement["Resource"]
        for policy in resources(template, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    }


def as_list(one_or_more: Any) -> list[Any]:
    """CloudFormation writes a list of one as that one."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
