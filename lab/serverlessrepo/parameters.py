"""The parameters of an application's template, as the service describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.serverlessrepo.surroundings import Document


def definitions(template: Document) -> Iterator[Document]:
    """Describe each parameter: what it may be, and which resources use it."""
    for name, declared in (template.get("Parameters") or {}).items():
        copied = {
            key: declared[key]
            for key in ("AllowedPattern", "ConstraintDescription", "Description", "NoEcho", "Type")
            if key in declared
        }
        numbers = {
            key: int(declared[key]) for key in ("MaxLength", "MaxValue", "MinLength", "MinValue") if key in declared
        }
        default = {"DefaultValue": str(declared["Default"])} if "Default" in declared else {}
        allowed = (
            {"AllowedValues": [str(one) for one in declared["AllowedValues"]]} if "AllowedValues" in declared else {}
        )
        users = [
            logical_id
            for logical_id, resource in template["Resources"].items()
            if _refers(resource, name, template.get("Conditions") or {})
        ]
        yield {"Name": name, **copied, **numbers, **default, **allowed, "ReferencedByResources": users}


def _refers(node: Any, name: str, conditions: Mapping[str, Any]) -> bool:
    match node:
        case {"Ref": str(referred)}:
            return referred == name
        case {"Fn::If": [str(condition), *branches]}:
            return _refers(conditions.get(condition), name, {}) or _refers(branches, name, conditions)
        case {"Fn::Sub": str(text)}:
            return f"${{{name}}}" in text
        case dict():
            return any(_refers(inner, name, conditions) for inner in node.values())
        case list():
            return any(_refers(inner, name, conditions) for inner in node)
    return False
