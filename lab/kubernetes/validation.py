"""Says what is wrong with manifests, without a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from lab.errors import UsageError
from lambda_src.web_workload import pod_security


@dataclass(frozen=True)
class Problem:
    """Something that Kubernetes, or restricted Pod Security, refuses."""

    manifest: str
    text: str

    def __str__(self) -> str:
        """Name the manifest and what is wrong with it."""
        return f"{self.manifest}: {self.text}"


def problems(text: str, kubernetes_version: str) -> list[Problem]:
    """Check every document against the schemas of ``kubernetes_version``, unknown fields refused; then its pods.

    :raises UsageError: for text that is no YAML or has no document, or a version without schemas.
    """
    import kubernetes_validate  # noqa: PLC0415 - slow to load

    if kubernetes_version not in _versions():
        raise UsageError(f"--kubernetes-version {kubernetes_version}: there are schemas for {', '.join(_versions())}.")
    found: list[Problem] = []
    for number, manifest in enumerate(_documents(text), start=1):
        if not _names_its_kind(manifest):
            found.append(Problem(f"document {number}", "no manifest: it names no kind and apiVersion"))
            continue
        metadata = manifest.get("metadata")
        name = f"{manifest['kind']} {metadata.get('name', '?') if isinstance(metadata, dict) else '?'}"
        try:
            kubernetes_validate.validate(manifest, kubernetes_version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            known = f"Kubernetes {kubernetes_version} has no {manifest['kind']} of {manifest['apiVersion']}"
            found.append(Problem(name, known))
        except kubernetes_validate.ValidationError as error:
            where = ".".join(map(str, error.path)) or "the document"
            found.append(Problem(name, f"{where}: {error.message}"))
        else:
            found += [Problem(name, violation) for violation in pod_security.violations(manifest)]
    return found


def _names_its_kind(manifest: Any) -> bool:
    named = [manifest.get(field) for field in ("kind", "apiVersion")] if isinstance(manifest, dict) else []
    return bool(named) and all(isinstance(one, str) and one for one in named)


def _documents(text: str) -> list[Any]:
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise UsageError(f"That is no YAML: {error}") from None
    if not documents:
        raise UsageError("There is no manifest in it.")
    return documents


def _versions() -> list[str]:
    from kubernetes_validate.utils import all_versions, major_minor  # noqa: PLC0415

    return list(dict.fromkeys(map(major_minor, all_versions())))
