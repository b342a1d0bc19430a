"""Amazon EKS Connector: clusters that run elsewhere are registered, described, listed and deregistered.

MiniStack's EKS has clusters of its own alone. A registered one is kept among them, so that a name is taken once; until
an agent activates it, which nothing here does, it is PENDING. Its activation code is answered once, to who registers.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
import uuid
from typing import TYPE_CHECKING, Any

import botocore.session
from ministack.services import eks

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.services.eks._cluster_arn(name)",
    "ministack.services.eks._clusters",
    "ministack.services.eks._error(status, code, message)",
    "ministack.services.eks._handle_request_sync(method, path, headers, body_bytes, query_params)",
    "ministack.services.eks._json_resp(status, body)",
    "ministack.services.eks._list_clusters(query)",
    "ministack.services.eks._sanitize(cluster)",
    "ministack.services.eks._tags",
    "ministack.core.iam_evaluator.validate_role_arn(role_arn)",
]
_PATH = "/cluster-registrations"
_DAYS = 3
# Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_ListClusters.html
_PAGE = 100

Response = tuple[int, dict[str, str], bytes]


def extend() -> None:
    """Answer registrations, and leave registered clusters out of lists that are not asked for them."""
    eks._handle_request_sync = _with_registrations(eks._handle_request_sync)
    eks._list_clusters = _list_clusters


def _with_registrations(handle: Callable[..., Response]) -> Callable[..., Response]:
    def handle_request(
        method: str, path: str, headers: dict[str, str], body_bytes: bytes, query_params: dict[str, Any]
    ) -> Response:
        if path == _PATH and method == "POST":
            return _register(json.loads(body_bytes or b"{}"))
        deregistered = re.fullmatch(rf"{_PATH}/([A-Za-z0-9_-]+)", path)
        if deregistered and method == "DELETE":
            return _deregister(deregistered[1])
        return handle(method, path, headers, body_bytes, query_params)

    return handle_request


def _register(body: dict[str, Any]) -> Response:
    from ministack.core.iam_evaluator import validate_role_arn  # noqa: PLC0415 - it imports the services

    name, config = body.get("name", ""), body.get("connectorConfig") or {}
    if re.fullmatch(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}", name) is None:
        return _refused(f"{name} is no name for a cluster")
    if config.get("provider") not in _providers():
        return _refused(f"connectorConfig.provider is {config.get('provider')}: one of {', '.join(_providers())}")
    if wrong := validate_role_arn(config.get("roleArn", "")):
        return _refused(wrong)
    if name in eks._clusters:
        refused: Response = eks._error(409, "ResourceInUseException", f"Cluster already exists with name: {name}")
        return refused
    cluster = {
        "name": name,
        "arn": eks._cluster_arn(name),
        "createdAt": int(time.time()),
        "status": "PENDING",
        "tags": body.get("tags") or {},
        "connectorConfig": {
            "activationId": str(uuid.uuid4()),
            "activationExpiry": int(time.time()) + _DAYS * 86_400,
            "provider": config["provider"],
            "roleArn": config["roleArn"],
        },
    }
    eks._clusters[name] = cluster
    if cluster["tags"]:
        eks._tags[cluster["arn"]] = dict(body["tags"])
    told = {**cluster["connectorConfig"], "activationCode": secrets.token_urlsafe(15)}
    answer: Response = eks._json_resp(200, {"cluster": {**cluster, "connectorConfig": told}})
    return answer


def _deregister(name: str) -> Response:
    cluster = eks._clusters.get(name)
    if cluster is None or "connectorConfig" not in cluster:
        missing: Response = eks._error(404, "ResourceNotFoundException", f"No cluster found for name: {name}.")
        return missing
    eks._clusters.pop(name)
    eks._tags.pop(cluster["arn"], None)
    answer: Response = eks._json_resp(200, {"cluster": {**eks._sanitize(cluster), "status": "DELETING"}})
    return answer


def _list_clusters(query: dict[str, Any]) -> Response:
    """List the clusters of EKS, in pages; with ``include=all`` the registered ones too."""
    include, most, token = (query.get(name) or "" for name in ("include", "maxResults", "nextToken"))
    if include not in {"", "all"}:
        return _refused(f"include is {include}: all, or nothing")
    if most and not (most.isdecimal() and 1 <= int(most) <= _PAGE):
        return _refused(f"maxResults is {most}: 1 to {_PAGE}")
    try:
        last = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        return _refused("nextToken is none that a page before gave")
    # After the last one's name, so that what is deleted between two pages moves nobody over their border.
    left = sorted(
        name for name, one in eks._clusters.items() if name > last and (include or "connectorConfig" not in one)
    )
    page = left[: int(most or _PAGE)]
    more = {"nextToken": base64.urlsafe_b64encode(page[-1].encode()).decode()} if len(left) > len(page) else {}
    answer: Response = eks._json_resp(200, {"clusters": page, **more})
    return answer


def _providers() -> list[str]:
    model = botocore.session.Session().get_service_model("eks")
    found: list[str] = model.shape_for("ConnectorConfigProvider").metadata["enum"]
    return found


def _refused(message: str) -> Response:
    answer: Response = eks._error(400, "InvalidParameterException", message)
    return answer
