"""The worked examples of AWS's documentation: a policy, the images of a repository, and what becomes of them.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from lambda_src.image_repository.lifecycle.evaluation import Image
from lambda_src.image_repository.lifecycle.policy import StorageClass

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
EXPIRE = {"type": "expire"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def image(digest: str, *tags: str, pushed: float = 1, **more: Any) -> Image:
    return Image(digest, tags, ago(pushed), **more)


def rule(
    priority: int,
    count_type: str,
    number: int,
    *,
    tags: list[str] | None = None,
    prefixes: list[str] | None = None,
    status: str | None = None,
    action: dict[str, str] = EXPIRE,
    **selection: Any,
) -> dict[str, Any]:
    """Write a rule as AWS does."""
    lists = {"tagPatternList": tags, "tagPrefixList": prefixes}
    return {
        "rulePriority": priority,
        "selection": {
            "tagStatus": status or ("tagged" if tags or prefixes else "any"),
            **{name: given for name, given in lists.items() if given},
            "countType": count_type,
            **({} if count_type == "imageCountMoreThan" else {"countUnit": "days"}),
            "countNumber": number,
            **selection,
        },
        "action": dict(action),
    }


def policy(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"rules": list(rules)}


def keep(priority: int, number: int, *tags: str, **more: Any) -> dict[str, Any]:
    return rule(priority, "imageCountMoreThan", number, tags=list(tags), **more)


@dataclass(frozen=True)
class Example:
    heading: str
    policy: dict[str, Any]
    images: list[Image]
    #: Of each image that goes, the priority of the rule.
    goes: dict[str, int]

    def __str__(self) -> str:
        return self.heading


_TWO_TAGS = [
    image("A", "beta-1", "prod-1", pushed=10),
    image("B", "beta-2", "prod-2", pushed=9),
    image("C", "beta-3", pushed=8),
]

#: Where the documentation describes a repository and the outcome in words, these are its images.
WORKED = [
    Example("Filtering on multiple rules, A", policy(keep(1, 1, "prod*"), keep(2, 1, "beta*")), _TWO_TAGS, {"A": 1}),
    Example(
        "Filtering on multiple rules, B",
        policy(keep(1, 1, "beta*"), keep(2, 1, "prod*")),
        _TWO_TAGS,
        {"A": 1, "B": 1},
    ),
    Example(
        "Filtering on multiple tags in a single rule, A",
        policy(rule(1, "sinceImagePushed", 5, tags=["alpha*", "beta*"])),
        [
            image("A", "alpha-1", pushed=12),
            image("B", "beta-1", pushed=11),
            image("C", "alpha-2", "beta-2", pushed=10),
            image("D", "alpha-3", pushed=4),
            image("E", "beta-3", pushed=3),
            image("F", "alpha-4", "beta-4", pushed=2),
        ],
        {"C": 1},
    ),
    Example(
        "Filtering on multiple tags in a single rule, B",
        policy(keep(1, 1, "alpha*", "beta*")),
        [
            image("A", "alpha-1", "beta-1", "gamma-1", pushed=10),
            image("B", "alpha-2", "beta-2", pushed=9),
            image("C", "alpha-3", "beta-3", "gamma-2", pushed=8),
        ],
        {"A": 1, "B": 1},
    ),
    Example(
        "Filtering on all images, A",
        policy(keep(1, 1)),
        [
            image("A", "alpha-1", pushed=4),
            image("B", "beta-1", pushed=3),
            image("C", pushed=2),
            image("D", "alpha-2", pushed=1),
        ],
        {"A": 1, "B": 1, "C": 1},
    ),
    Example(
        "Filtering on all images, B",
        policy(keep(1, 1, "alpha*"), rule(2, "sinceImagePushed", 1, status="untagged"), keep(3, 1)),
        [
            image("A", "alpha-1", "beta-1", pushed=4),
            image("B", pushed=3),
            image("C", "alpha-2", pushed=2),
            image("D", "git hash", pushed=1),
            # Pushed on the same day as D and a little later, or rule 3 would keep D as the newest.
            image("E", pushed=0.99),
        ],
        {"A": 1, "B": 2, "D": 3},
    ),
]
#: Where it gives a policy alone, these are images of ours around its limits.
SYNTAX = [
    Example(
        "Filtering on image age",
        policy(rule(1, "sinceImagePushed", 14, tags=["prod*"])),
        [image("old", "production", pushed=14.1), image("young", "prod", pushed=14), image("other", "test", pushed=99)],
        {"old": 1},
    ),
    Example(
        "Filtering on last pulled time",
        policy(rule(1, "sinceImagePulled", 90, action=ARCHIVE)),
        [
            image("pulled", "a", pushed=400, last_pulled_at=ago(89)),
            image("forgotten", "b", pushed=400, last_pulled_at=ago(91)),
            image("never pulled", "c", pushed=91),
            image("restored", "d", pushed=400, last_pulled_at=ago(300), last_activated_at=ago(10)),
            image("restored long ago", "e", pushed=400, last_pulled_at=ago(300), last_activated_at=ago(100)),
            image("pulled since", "f", pushed=400, last_activated_at=ago(100), last_pulled_at=ago(5)),
        ],
        {"forgotten": 1, "never pulled": 1, "restored long ago": 1},
    ),
    Example(
        "Filtering on image count",
        policy(rule(1, "imageCountMoreThan", 1, status="untagged")),
        [image("A", pushed=3), image("B", pushed=2), image("C", "tagged", pushed=9)],
        {"A": 1},
    ),
    Example(
        "Archiving images older than a specified number of days",
        policy(rule(1, "sinceImagePushed", 30, tags=["prod*"], action=ARCHIVE)),
        [image("A", "prod", pushed=31), image("B", "prod-2", pushed=29)],
        {"A": 1},
    ),
]
_IN_ARCHIVE = {"pushed": 900, "storage_class": StorageClass.ARCHIVE}
SYNTAX += [
    Example(
        "Filtering on archive transition time",
        policy(rule(1, "sinceImageTransitioned", 365, storageClass="archive")),
        [
            image("old", last_archived_at=ago(366), **_IN_ARCHIVE),
            image("young", last_archived_at=ago(364), **_IN_ARCHIVE),
            image("not archived", pushed=900),
        ],
        {"old": 1},
    ),
    Example(
        "Combining archive and expire rules",
        policy(
            rule(1, "sinceImagePushed", 30, action=ARCHIVE),
            rule(2, "sinceImageTransitioned", 365, storageClass="archive"),
        ),
        [
            image("A", pushed=31),
            image("B", pushed=29),
            image("C", "prod", last_archived_at=ago(366), **_IN_ARCHIVE),
            image("D", "prod", last_archived_at=ago(1), **_IN_ARCHIVE),
        ],
        {"A": 1, "C": 2},
    ),
]
