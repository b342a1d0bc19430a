"""What a lifecycle policy would do to images: by our own evaluation, and by the preview of AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import WaiterError

from lab.errors import LabError, UsageError
from lambda_src.image_repository.lifecycle.checks import check
from lambda_src.image_repository.lifecycle.evaluation import evaluate
from lambda_src.image_repository.lifecycle.policy import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from lambda_src.image_repository.lifecycle.checks import Checked
    from lambda_src.image_repository.lifecycle.evaluation import Decision, Image
    from lambda_src.image_repository.lifecycle.policy import Policy

#: Each action's word for a person.
OUTCOMES = {"expire": "expires", "transition": "archived", None: "stays"}


@dataclass(frozen=True)
class Difference:
    """An image of which AWS says something else; None where it stays."""

    digest: str
    ours: str | None
    aws: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints for it."""
        return {"digest": self.digest, "ours": self.ours, "aws": self.aws}


@dataclass(frozen=True)
class Preview:
    """What became of every image."""

    policy: Policy
    at: datetime
    warnings: Sequence[str]
    decisions: Sequence[Decision]

    def count(self, action: str | None) -> int:
        """Count the images that an action is for."""
        return sum(decision.action == action for decision in self.decisions)

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "at": self.at.isoformat(),
            "warnings": list(self.warnings),
            "rules": [
                {
                    "priority": rule.priority,
                    "description": rule.description,
                    "action": rule.action.value,
                    "images": [one.image.digest for one in self.decisions if one.action and one.rule is rule],
                }
                for rule in self.policy.rules
            ],
            "images": [
                {
                    "digest": one.image.digest,
                    "tags": list(one.image.tags),
                    "pushedAt": one.image.pushed_at.isoformat(),
                    "outcome": OUTCOMES[one.action],
                    "rule": one.rule.priority if one.rule else None,
                    "reason": one.reason,
                }
                for one in self.decisions
            ],
        }


def checked(document: Any, where: str) -> Checked:
    """Check a policy.

    :raises UsageError: naming everything that AWS would refuse.
    """
    made = check(document)
    if made.policy is None:
        raise UsageError(f"AWS would refuse {where}:\n  " + "\n  ".join(map(str, made.problems)))
    return made


def preview(made: Checked, images: Iterable[Image], at: datetime) -> Preview:
    """Evaluate a policy that has been checked."""
    if made.policy is None:
        raise ValueError("the policy has problems")
    return Preview(made.policy, at, [str(note) for note in made.warnings], evaluate(made.policy, images, at))


def of_aws(client: Any, repository: str, document: Any) -> dict[str, str]:
    """Have AWS preview a policy, which changes no image, and return what it says of each image that would go.

    :raises LabError: when another preview of the repository is under way, or this one does not come to an end.
    """
    exceptions = client.exceptions
    try:
        client.start_lifecycle_policy_preview(repositoryName=repository, lifecyclePolicyText=text_of(document))
        client.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName=repository)
    except exceptions.LifecyclePolicyPreviewInProgressException:
        raise LabError(f"AWS is still at another preview of {repository}: say it again in a minute.") from None
    except exceptions.InvalidParameterException as error:
        raise LabError(f"AWS refuses the policy, which we did not: {error}") from None
    except WaiterError as error:
        raise LabError(f"AWS's preview of {repository} did not come to an end: {error}") from None
    pages = client.get_paginator("get_lifecycle_policy_preview").paginate(repositoryName=repository)
    return {
        result["imageDigest"]: _said(result["action"]["type"], result["appliedRulePriority"])
        for page in pages
        for result in page["previewResults"]
    }


def differences(ours: Preview, aws: dict[str, str]) -> list[Difference]:
    """Compare both previews, image by image."""
    here = {
        one.image.digest: _said(one.action.value, one.rule.priority)
        for one in ours.decisions
        if one.action and one.rule
    }
    return [
        Difference(digest, here.get(digest), aws.get(digest))
        for digest in sorted(here.keys() | aws.keys())
        if here.get(digest) != aws.get(digest)
    ]


def _said(action: str, priority: int) -> str:
    return f"{OUTCOMES[action.lower()]} by rule {priority}"
