"""The evaluation of a lifecycle policy against the same rules applied as they read, and against a second."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.comparison import AtMost, Comparison, Side
from benchmarks.workbench import MeasurementError, seconds
from lambda_src.image_repository.lifecycle.checks import check
from lambda_src.image_repository.lifecycle.evaluation import Image, evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.workbench import Workbench
    from lambda_src.image_repository.lifecycle.policy import Policy

#: As many as a repository holds by default.
_IMAGES = 100_000
_NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
_SERVICES = ["api", "web", "worker", "mail", "search", "batch", "admin", "auth"]


def comparisons(_: Workbench) -> list[Comparison]:
    """Compare on a repository that is full, with ten rules of every kind of selection."""
    policy, images = _policy(), _images()
    # Whoever is wrong has no speed.
    if _expired(policy, images) != _expired_plainly(_document(), images):
        raise MeasurementError("both sides have to expire the same images")
    title = f"lifecycle of {_IMAGES:,} images"
    ours = Side(title, partial(_milliseconds, _expired, policy, images))
    plain = Side("rule by rule, with fnmatch", partial(_milliseconds, _expired_plainly, _document(), images))
    second = Side("a second", lambda: 1000.0)
    return [Comparison(title, ours, plain, "ms", AtMost(0.5)), Comparison(title, ours, second, "ms", AtMost(1))]


def _milliseconds(work: Any, *given: Any) -> float:
    return seconds(partial(work, *given)) * 1000


def _expired(policy: Policy, images: Sequence[Image]) -> set[str]:
    return {decision.image.digest for decision in evaluate(policy, images, _NOW) if decision.action}


def _expired_plainly(document: dict[str, Any], images: Sequence[Image]) -> set[str]:
    """Apply the rules in the way in which the documentation tells them."""
    taken: set[str] = set()
    expired: set[str] = set()
    for rule in sorted(document["rules"], key=lambda rule: rule["rulePriority"]):
        selection = rule["selection"]
        found = [image for image in images if _is_selected(image, selection)]
        if selection["countType"] == "imageCountMoreThan":
            found.sort(key=lambda image: (image.pushed_at, image.digest), reverse=True)
            marked = found[selection["countNumber"] :]
        else:
            marked = [image for image in found if _NOW - image.pushed_at > timedelta(days=selection["countNumber"])]
        expired |= {image.digest for image in marked} - taken
        taken |= {image.digest for image in found}
    return expired


def _is_selected(image: Image, selection: dict[str, Any]) -> bool:
    if selection["tagStatus"] == "untagged":
        return not image.tags
    patterns = selection.get("tagPatternList", [])
    return all(any(fnmatchcase(tag, pattern) for tag in image.tags) for pattern in patterns)


def _policy() -> Policy:
    policy = check(_document()).policy
    if policy is None:
        raise MeasurementError("the policy is none that AWS would take")
    return policy


def _document() -> dict[str, Any]:
    selections: list[dict[str, Any]] = [
        *(_kept(100, f"{service}-*") for service in _SERVICES[:4]),
        _kept(50, "*-release"),
        _kept(50, "search-*", "*-rc"),
        _young(30, tagStatus="tagged", tagPatternList=["*-dev-*"]),
        _young(90, tagStatus="tagged", tagPatternList=["b*ch-*-*"]),
        _young(14, tagStatus="untagged"),
        {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 20_000},
    ]
    return {
        "rules": [
            {"rulePriority": number, "selection": selection, "action": {"type": "expire"}}
            for number, selection in enumerate(selections, start=1)
        ]
    }


def _kept(number: int, *patterns: str) -> dict[str, Any]:
    return {
        "tagStatus": "tagged",
        "tagPatternList": list(patterns),
        "countType": "imageCountMoreThan",
        "countNumber": number,
    }


def _young(days: int, **tags: Any) -> dict[str, Any]:
    return {**tags, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}


def _images() -> list[Image]:
    chance = random.Random(15)  # noqa: S311 - the same images in every run
    images = []
    for number in range(_IMAGES):
        service, kind = chance.choice(_SERVICES), chance.choice(["release", "rc", "dev-1", "42"])
        tags = [f"{service}-{number}-{kind}", f"build-{number}"][: chance.choice([0, 1, 1, 2])]
        pushed_at = _NOW - timedelta(seconds=chance.randrange(400 * 86_400))
        images.append(Image(f"sha256:{number:064x}", tuple(tags), pushed_at))
    return images
