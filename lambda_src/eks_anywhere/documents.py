"""Writes Python's dataclasses as the documents of Kubernetes: camel case, and without what was not given."""

from __future__ import annotations

import re
from dataclasses import field, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lambda_src.eks_anywhere.crds import API_VERSION

if TYPE_CHECKING:
    from lambda_src.eks_anywhere.specification import Document


def called(name: str, **options: Any) -> Any:
    """Make a dataclass's field whose name in a document does not follow from Python's."""
    return field(metadata={"name": name}, **options)


def as_value(given: Any) -> Any:
    """Write a value as documents have it."""
    if isinstance(given, Enum):
        return given.value
    if is_dataclass(given) and not isinstance(given, type):
        return _fields(given)
    if isinstance(given, dict):
        return {key: as_value(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [as_value(one) for one in given]
    return given


def document(kind: str, name: str, namespace: str, spec: Any) -> Document:
    """Make a document of EKS Anywhere."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": as_value(spec),
    }


def _fields(given: Any) -> dict[str, Any]:
    made = {}
    for one in fields(given):
        value = getattr(given, one.name)
        # What is empty says nothing, but a number or a yes-or-no that was given always does.
        if value is not None and value not in ((), {}):
            made[one.metadata.get("name") or _camel_case(one.name)] = as_value(value)
    return made


def _camel_case(name: str) -> str:
    return re.sub("_(.)", lambda found: found[1].upper(), name)
