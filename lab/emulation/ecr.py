"""Amazon ECR: image assets are pushed, to a registry on this machine, and tags move only where they may.

MiniStack answers an empty list for an image that is not there, where AWS has an error; the CDK CLI takes that for an
image that is, and pushes none. It reads no repository from a request to describe some, and so refuses it to a role that
may describe just these, such as the one that the CDK CLI pushes with. Its registry is on the emulator's port, but it
names AWS's host name as the address, where a push would leave this machine. Of a repository whose tags are immutable
with exclusions it forgets both.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from ministack.core import iam_actions
from ministack.core.responses import error_response_json
from ministack.services import ecr
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.core.iam_actions.extract_resource_arn"
    "(service, method, path, headers, body, query_params, region, account_id)",
    "ministack.core.responses.error_response_json(code, message, status, extra, message_key, content_type)",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.ecr._content_digest(data)",
    "ministack.services.ecr._describe_images(data)",
    "ministack.services.ecr._find_image(repo_name, image_id)",
    "ministack.services.ecr._get_authorization_token(data)",
    "ministack.services.ecr._images",
    "ministack.services.ecr._put_image(data)",
    "ministack.services.ecr._registry_error(status, code, message, detail)",
    "ministack.services.ecr._repo_shape(repo)",
    "ministack.services.ecr._repositories",
    "ministack.services.ecr._v2_put_manifest(name, ref, headers, body)",
]
_REPOSITORY = "AWS::ECR::Repository"
_FILTERS = "imageTagMutabilityExclusionFilters"

Properties = dict[str, Any]
Response = tuple[int, dict[str, str], Any]


def extend() -> None:
    """Answer, and refuse, as AWS does."""
    address = f"127.0.0.1:{os.environ['GATEWAY_PORT']}"
    ecr._describe_images = _with_missing_refused(ecr._describe_images)
    ecr._get_authorization_token = _with_endpoint(ecr._get_authorization_token, f"http://{address}")
    ecr._repo_shape = _with_address(ecr._repo_shape, address)
    ecr._put_image = _image_with_tag_kept(ecr._put_image)
    ecr._v2_put_manifest = _manifest_with_tag_kept(ecr._v2_put_manifest)
    iam_actions.extract_resource_arn = _with_described_repository(iam_actions.extract_resource_arn)
    handlers = provisioners._RESOURCE_HANDLERS[_REPOSITORY]
    handlers |= {"create": _with_filters(handlers["create"], 1), "update": _with_filters(handlers["update"], 2)}


def _with_missing_refused(describe: Callable[[Properties], Response]) -> Callable[[Properties], Response]:
    def describe_images(data: Properties) -> Response:
        name = data.get("repositoryName", "")
        for image in data.get("imageIds") or []:
            if name in ecr._repositories and not ecr._find_image(name, image):
                wanted = ", ".join(f"{key}: '{image[key]}'" for key in ("imageDigest", "imageTag") if key in image)
                said = f"The image with imageId {{{wanted}}} does not exist within the repository with name '{name}'"
                return _error("ImageNotFoundException", said)
        return describe(data)

    return describe_images


def _with_described_repository(extract: Callable[..., str]) -> Callable[..., str]:
    def extract_resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        if service == "ecr" and headers.get("x-amz-target", "").endswith(".DescribeRepositories"):
            names = json.loads(body or b"{}").get("repositoryNames") or []
            if len(names) == 1:  # of more, MiniStack asks for a permission on all that there are
                body = json.dumps({"repositoryName": names[0]}).encode()
        return extract(service, method, path, headers, body, *rest)

    return extract_resource_arn


def _with_endpoint(operation: Callable[[Properties], Response], endpoint: str) -> Callable[[Properties], Response]:
    def get_authorization_token(data: Properties) -> Response:
        status, headers, body = operation(data)
        answer = json.loads(body)
        for authorization in answer["authorizationData"]:
            authorization["proxyEndpoint"] = endpoint
        return status, headers, json.dumps(answer).encode()

    return get_authorization_token


def _with_address(shape: Callable[[Properties], Properties], address: str) -> Callable[[Properties], Properties]:
    # Made when it is asked for, so that it names the port of this start.
    def repo_shape(repository: Properties) -> Properties:
        kept = {_FILTERS: repository[_FILTERS]} if repository.get(_FILTERS) else {}
        return {**shape(repository), "repositoryUri": f"{address}/{repository['repositoryName']}", **kept}

    return repo_shape


def _image_with_tag_kept(put: Callable[[Properties], Response]) -> Callable[[Properties], Response]:
    def put_image(data: Properties) -> Response:
        name, tag = data.get("repositoryName", ""), data.get("imageTag")
        digest = data.get("imageDigest") or ecr._content_digest(data.get("imageManifest", "").encode())
        if tag and _is_kept(name, tag, digest):
            return _error("ImageTagAlreadyExistsException", _immutable(name, tag))
        return put(data)

    return put_image


def _manifest_with_tag_kept(put: Callable[..., Response]) -> Callable[..., Response]:
    def put_manifest(name: str, ref: str, headers: dict[str, str], body: bytes) -> Response:
        if not ref.startswith("sha256:") and _is_kept(name, ref, ecr._content_digest(body)):
            refused: Response = ecr._registry_error(400, "TAG_INVALID", _immutable(name, ref), {"tag": ref})
            return refused
        return put(name, ref, headers, body)

    return put_manifest


def _is_kept(name: str, tag: str, digest: str) -> bool:
    """Say whether the tag is another image's, and stays so."""
    repository = ecr._repositories.get(name, {})
    mutability, filters = repository.get("imageTagMutability", "MUTABLE"), repository.get(_FILTERS, [])
    excluded = mutability.endswith("_WITH_EXCLUSION") and any(_fits(one["filter"], tag) for one in filters)
    immutable = mutability.startswith("IMMUTABLE") != excluded
    return immutable and any(
        tag in image.get("imageTags", []) and image["imageDigest"] != digest for image in ecr._images.get(name, [])
    )


def _fits(pattern: str, tag: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), tag) is not None


def _with_filters(operation: Callable[..., Any], properties_at: int) -> Callable[..., Any]:
    """Keep the exclusions that a template gives a repository; ``properties_at`` is their place in the arguments."""

    def provision(*args: Any, **kwargs: Any) -> Any:
        made = operation(*args, **kwargs)
        ecr._repositories[made[0]][_FILTERS] = [
            {
                "filterType": one["ImageTagMutabilityExclusionFilterType"],
                "filter": one["ImageTagMutabilityExclusionFilterValue"],
            }
            for one in args[properties_at].get("ImageTagMutabilityExclusionFilters") or []
        ]
        return made

    return provision


def _immutable(name: str, tag: str) -> str:
    return (
        f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the tag "
        "is immutable."
    )


def _error(code: str, message: str) -> Response:
    refused: Response = error_response_json(code, message, 400)
    return refused
