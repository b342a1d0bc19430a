"""Images as AWS describes them, from a repository or from a file, for the evaluation of a lifecycle policy."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lambda_src.image_repository.lifecycle.evaluation import Image
from lambda_src.image_repository.lifecycle.policy import StorageClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The name of a repository.
NAME = re.compile(r"[a-z0-9][a-z0-9._/-]+")
#: Manifest lists, of Docker and of OCI.
_LISTS = [
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
]
_STORAGE_CLASSES = {"ACTIVE": StorageClass.STANDARD, "ARCHIVED": StorageClass.ARCHIVE, "ACTIVATING": None}
_MOST_IMAGES_A_CALL = 100


def of_repository(client: Any, repository: str) -> list[Image]:
    """Describe all images of a repository, archived ones too, and read the manifest lists among them.

    :raises UsageError: when there is no such repository.
    """
    details: dict[str, dict[str, Any]] = {}
    try:
        for page in client.get_paginator("describe_images").paginate(
            repositoryName=repository, filter={"imageStatus": "ANY"}
        ):
            # An image that is pushed meanwhile may be on two pages.
            details |= {detail["imageDigest"]: detail for detail in page["imageDetails"]}
    except client.exceptions.RepositoryNotFoundException:
        raise UsageError(f"There is no repository {repository}, nor a file of that name.") from None
    lists = [
        digest
        for digest, detail in details.items()
        if detail.get("imageManifestMediaType") in _LISTS and detail.get("imageStatus", "ACTIVE") == "ACTIVE"
    ]
    for start in range(0, len(lists), _MOST_IMAGES_A_CALL):
        answer = client.batch_get_image(
            repositoryName=repository,
            imageIds=[{"imageDigest": digest} for digest in lists[start : start + _MOST_IMAGES_A_CALL]],
            acceptedMediaTypes=_LISTS,
        )
        for image in answer["images"]:
            details[image["imageId"]["imageDigest"]]["imageManifest"] = image["imageManifest"]
    return read({"imageDetails": list(details.values())}, f"the repository {repository}")


def read(document: Any, where: str) -> list[Image]:
    """Read what ``aws ecr describe-images`` prints, or just its list of images.

    A manifest list may have its ``imageManifest`` too, as ``aws ecr batch-get-image`` prints it.

    :raises UsageError: naming everything that is wrong.
    """
    listed = document.get("imageDetails") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise UsageError(f"{where} holds no list of images: it is what `aws ecr describe-images` prints.")
    problems: list[str] = []
    images: dict[str, Image] = {}
    for index, detail in enumerate(listed):
        path = f"imageDetails[{index}]"
        try:
            image = _image(detail)
            if image.digest in images:
                raise ValueError(f"imageDigest {image.digest} is there twice")
            images[image.digest] = image
        except ValueError as error:
            problems.append(f"{path}: {error}")
    if problems:
        shown = problems[:20] + ([f"and {len(problems) - 20} more"] if len(problems) > 20 else [])
        raise UsageError(f"{where} holds what is no image:\n  " + "\n  ".join(shown))
    return list(images.values())


def _image(detail: Any) -> Image:
    if not isinstance(detail, dict):
        raise ValueError("it is no object")
    pushed_at = _moment(detail, "imagePushedAt")
    if pushed_at is None:
        raise ValueError("imagePushedAt is missing")
    status = detail.get("imageStatus", "ACTIVE")
    if status not in _STORAGE_CLASSES:
        raise ValueError(f"imageStatus is {json.dumps(status)}: {', '.join(_STORAGE_CLASSES)}")
    tags = detail.get("imageTags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag.isprintable() and tag for tag in tags):
        raise ValueError("imageTags is no list of tags")
    return Image(
        digest=_text(detail, "imageDigest", needed=True) or "",
        tags=tuple(tags),
        pushed_at=pushed_at,
        storage_class=_STORAGE_CLASSES[status],
        last_pulled_at=_moment(detail, "lastRecordedPullTime"),
        last_archived_at=_moment(detail, "lastArchivedAt"),
        last_activated_at=_moment(detail, "lastActivatedAt"),
        manifests=_manifests(_text(detail, "imageManifest")),
        subject=_text(detail, "subjectManifestDigest"),
    )


def _text(detail: Mapping[str, Any], name: str, *, needed: bool = False) -> str | None:
    value = detail.get(name)
    if (needed and not value) or not isinstance(value, str | None):
        raise ValueError(f"{name} is {'missing' if value is None else 'no text'}")
    return value


def _moment(detail: Mapping[str, Any], name: str) -> datetime | None:
    value = detail.get(name)
    if value is None:
        return None
    try:
        return moment(value)
    except (ValueError, TypeError, OverflowError, OSError):
        raise ValueError(f"{name} is {json.dumps(value, default=str)}: a time such as 2026-01-31T12:00:00Z") from None


def moment(value: object) -> datetime:
    """Read a time as the AWS CLI writes it, or as AWS's API does; without a zone, it is UTC.

    :raises ValueError: when it is none; and what ``datetime`` raises for one that is too far away.
    """
    if isinstance(value, bool) or not isinstance(value, datetime | str | int | float):
        raise TypeError(value)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, timezone.utc)
    # Python 3.10 does not know the Z.
    read = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    return read.astimezone(timezone.utc) if read.tzinfo else read.replace(tzinfo=timezone.utc)


def _manifests(manifest: str | None) -> tuple[str, ...]:
    """Name the images that a manifest list refers to."""
    if manifest is None:
        return ()
    try:
        listed: Iterable[Any] = json.loads(manifest).get("manifests", ())
        return tuple(str(one["digest"]) for one in listed)
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        raise ValueError("imageManifest is no manifest") from None
