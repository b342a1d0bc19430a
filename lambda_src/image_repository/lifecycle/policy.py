"""A lifecycle policy that has been checked: its rules, in the order in which they are applied."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lambda_src.image_repository.lifecycle.tags import TagPattern

if TYPE_CHECKING:
    from collections.abc import Mapping


class TagStatus(str, Enum):
    """Whether a rule selects images by their tags."""

    TAGGED = "tagged"
    UNTAGGED = "untagged"
    ANY = "any"


class CountType(str, Enum):
    """What a rule counts: images, or the days since something happened to one."""

    IMAGE_COUNT_MORE_THAN = "imageCountMoreThan"
    SINCE_IMAGE_PUSHED = "sinceImagePushed"
    SINCE_IMAGE_PULLED = "sinceImagePulled"
    SINCE_IMAGE_TRANSITIONED = "sinceImageTransitioned"


class StorageClass(str, Enum):
    """Where an image is; an archived one cannot be pulled."""

    STANDARD = "standard"
    ARCHIVE = "archive"


class Action(str, Enum):
    """What a rule does: delete images, or move them to the archive."""

    EXPIRE = "expire"
    TRANSITION = "transition"


@dataclass(frozen=True)
class Rule:
    """One rule; of rules that select an image, only the one with the lowest priority number may act on it."""

    priority: int
    tag_status: TagStatus
    #: All of them have to match, each any of an image's tags.
    patterns: tuple[TagPattern, ...]
    storage_class: StorageClass
    count_type: CountType
    count_number: int
    action: Action
    description: str = ""

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> Rule:
        """Read a rule of a document that has been checked."""
        selection = rule["selection"]
        return cls(
            priority=rule["rulePriority"],
            tag_status=TagStatus(selection["tagStatus"]),
            patterns=(
                *map(TagPattern.of_pattern, selection.get("tagPatternList", ())),
                *map(TagPattern.of_prefix, selection.get("tagPrefixList", ())),
            ),
            storage_class=StorageClass(selection.get("storageClass", StorageClass.STANDARD)),
            count_type=CountType(selection["countType"]),
            count_number=selection["countNumber"],
            action=Action(rule["action"]["type"]),
            description=rule.get("description", ""),
        )


@dataclass(frozen=True)
class Policy:
    """The rules, the one that is applied first at the beginning."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Policy:
        """Read a document that has been checked."""
        return cls(tuple(sorted(map(Rule.of, document["rules"]), key=lambda rule: rule.priority)))


def text_of(document: object) -> str:
    """Write a policy's document as it goes to AWS, which counts its characters."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
