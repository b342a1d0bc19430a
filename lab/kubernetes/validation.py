"""Says what is wrong with manifests, and in which line, without a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lab.kubernetes import yaml_files
from lambda_src.eks_anywhere.specification import Key
from lambda_src.eks_anywhere.specification import Problem as Fault
from lambda_src.web_workload import pod_security

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.kubernetes.yaml_files import Position, Written


@dataclass(frozen=True)
class Problem:
    """Something that Kubernetes, or restricted Pod Security, refuses, and where it is written."""

    at: Position
    manifest: str
    text: str

    def __str__(self) -> str:
        """Name the line, the manifest and what is wrong with it."""
        return f"{self.at.line}:{self.at.column}: {': '.join(filter(None, [self.manifest, self.text]))}"

    def as_json(self) -> dict[str, str | int]:
        """Return the object that ``--json`` prints for it."""
        return {"line": self.at.line, "column": self.at.column, "manifest": self.manifest, "text": self.text}


@dataclass(frozen=True)
class _Manifest:
    """A manifest by itself, or an item of a list, and the way to it in its document."""

    document: int
    path: tuple[Key, ...]
    content: Any

    @property
    def name(self) -> str:
        metadata = self.content.get("metadata")
        return f"{self.content['kind']} {metadata.get('name', '?') if isinstance(metadata, dict) else '?'}"

    @property
    def names_its_kind(self) -> bool:
        named = [self.content.get(one) for one in ("kind", "apiVersion")] if isinstance(self.content, dict) else []
        return bool(named) and all(isinstance(one, str) and one for one in named)


def problems(text: str, kubernetes_version: str) -> list[Problem]:
    """Check every manifest against the schemas of ``kubernetes_version``, unknown fields refused; then its pods.

    What is in a list (``kind: List``) is checked one by one, as ``kubectl apply`` takes it.

    :raises UsageError: for text that has no manifest, or a version without schemas.
    """
    if kubernetes_version not in _versions():
        raise UsageError(f"--kubernetes-version {kubernetes_version}: there are schemas for {', '.join(_versions())}.")
    written = yaml_files.read(text)
    found = [Problem(written.position(fault), "", fault.text) for fault in written.problems]
    manifests = [one for index, document in enumerate(written.documents) for one in _manifests(index, (), document)]
    if not manifests and not found:
        raise UsageError("There is no manifest in it.")
    for manifest in manifests:
        found += _problems(manifest, written, kubernetes_version)
    return sorted(found, key=lambda one: (one.at.line, one.at.column))


def _manifests(document: int, path: tuple[Key, ...], content: Any) -> Iterator[_Manifest]:
    """Find what ``kubectl`` would apply: whatever has ``items`` is a list, and lends its items a kind of their own."""
    items = content.get("items") if isinstance(content, dict) else None
    if not isinstance(items, list):
        yield _Manifest(document, path, content)
        return
    kind = str(content.get("kind", "")).removesuffix("List")
    lent = {"apiVersion": content.get("apiVersion"), "kind": kind} if kind else {}
    for number, item in enumerate(items):
        whole = {**lent, **item} if isinstance(item, dict) else item
        yield from _manifests(document, (*path, "items", number), whole)


def _problems(manifest: _Manifest, written: Written, version: str) -> Iterator[Problem]:
    import kubernetes_validate  # noqa: PLC0415 - slow to load

    def problem(name: str, text: str, path: tuple[Key, ...] = ()) -> Problem:
        at = written.position(Fault(manifest.document, (*manifest.path, *path), "schema", text))
        return Problem(at, name, text)

    content = manifest.content
    if not manifest.names_its_kind:
        yield problem("", "no manifest: it names no kind and apiVersion")
        return
    try:
        kubernetes_validate.validate(content, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        known = f"Kubernetes {version} has no {content['kind']} of {content['apiVersion']}"
        yield problem(manifest.name, known, ("kind",))
    except kubernetes_validate.ValidationError as error:
        where = ".".join(map(str, error.path)) or "the document"
        unexpected = _unexpected(error) if error.validator == "additionalProperties" else ()
        yield problem(manifest.name, f"{where}: {error.message}", (*error.path, *unexpected))
    else:
        for violation in pod_security.violations(content):
            yield problem(manifest.name, violation.text, violation.path)


def _unexpected(error: Any) -> list[Key]:
    """Name the first field that the schema does not have: the error itself is of the object that has the field."""
    return [key for key in error.instance if key not in error.schema.get("properties", {})][:1]


def _versions() -> list[str]:
    from kubernetes_validate.utils import all_versions, major_minor  # noqa: PLC0415

    return list(dict.fromkeys(map(major_minor, all_versions())))
