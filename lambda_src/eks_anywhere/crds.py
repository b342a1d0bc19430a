"""What EKS Anywhere itself publishes of its kinds and versions: JSON Schemas, and which Kubernetes goes with which.

Both are in ``upstream/``, with the commit that they come from. A newer release's are made from a checkout of
github.com/aws/eks-anywhere by ``python -m lambda_src.eks_anywhere.crds CHECKOUT COMMIT``.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

API_VERSION = "anywhere.eks.amazonaws.com/v1alpha1"
UPSTREAM = Path(__file__).with_name("upstream")
_KINDS = UPSTREAM / "crds.json"
_VERSIONS = UPSTREAM / "versions.json"
# What a cluster's owner never writes: EKS Anywhere makes these.
_NOT_WRITTEN = {"AWSDatacenterConfig", "Bundles", "ControlPlaneUpgrade", "EKSARelease", "MachineDeploymentUpgrade"}
_NOT_WRITTEN |= {"NodeUpgrade"}
_OF_OPEN_API = ("type", "enum", "minimum", "maximum", "pattern", "required", "anyOf", "minItems", "maxLength")
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
# The definitions say of it only that it is an object: Kubernetes checks it itself.
_METADATA = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": {"type": "array", "items": {"type": "string"}},
        "creationTimestamp": {"type": ["string", "null"]},
        "generation": {"type": "integer"},
        "managedFields": {"type": "array"},
        "ownerReferences": {"type": "array"},
        "resourceVersion": {"type": "string"},
        "uid": {"type": "string"},
    },
}


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each kind."""
    found: dict[str, dict[str, Any]] = json.loads(_KINDS.read_text())["kinds"]
    return found


@cache
def kubernetes_versions() -> Mapping[str, Sequence[str]]:
    """Return the Kubernetes versions that each minor version of EKS Anywhere has, the newest of both first."""
    found: dict[str, list[str]] = json.loads(_VERSIONS.read_text())["versions"]
    return found


def schema(definition: dict[str, Any]) -> dict[str, Any]:
    """Make the JSON Schema of a custom resource definition's newest version: with no field that it does not know."""
    made = _closed(definition["spec"]["versions"][-1]["schema"]["openAPIV3Schema"])
    kind = definition["spec"]["names"]["kind"]
    # Without a spec, Kubernetes would ask for none of its fields; EKS Anywhere does.
    needs_spec = ["spec"] if made["properties"]["spec"].get("required") or kind == "Cluster" else []
    made["required"] = ["apiVersion", "kind", "metadata", *needs_spec]
    made["properties"] |= {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": kind},
        "metadata": _METADATA,
        # The controller's to write: a file that was read from a cluster has it.
        "status": {"type": "object"},
    }
    return made


def _closed(given: dict[str, Any]) -> dict[str, Any]:
    made = {name: given[name] for name in _OF_OPEN_API if name in given}
    if given.get("x-kubernetes-preserve-unknown-fields"):
        return made
    if given.get("x-kubernetes-int-or-string"):
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if given.get("type") == "object" and not isinstance(given.get("additionalProperties"), dict):
        made["additionalProperties"] = False
    elif "additionalProperties" in given:
        made["additionalProperties"] = _closed(given["additionalProperties"])
    if "properties" in given:
        made["properties"] = {name: _closed(one) for name, one in given["properties"].items()}
    if "items" in given:
        made["items"] = _closed(given["items"])
    if given.get("nullable"):
        made["type"] = [given["type"], "null"]
    return made


def _main(checkout: str, commit: str) -> None:
    import yaml  # noqa: PLC0415 - not for those who read what this makes

    definitions = [
        yaml.safe_load(path.read_text()) for path in sorted(Path(checkout, "config", "crd", "bases").glob("*.yaml"))
    ]
    kinds = {one["spec"]["names"]["kind"]: schema(one) for one in definitions}
    supported = yaml.safe_load(Path(checkout, "docs", "data", "version_support.yml").read_text())["eksa"]
    _write(_KINDS, "config/crd/bases", commit, kinds={name: kinds[name] for name in kinds if name not in _NOT_WRITTEN})
    versions = {one["version"]: one["kube_versions"] for one in supported}
    _write(_VERSIONS, "docs/data/version_support.yml", commit, versions=versions)


def _write(file: Path, source: str, commit: str, **content: Any) -> None:
    document = {
        "source": f"github.com/aws/eks-anywhere, {source}, commit {commit}",
        "licence": "Apache-2.0, see LICENSE and NOTICE in this folder",
        **content,
    }
    file.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
