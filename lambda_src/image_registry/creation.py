"""What the repositories are like that Amazon ECR makes by itself: for a cache, for a copy, for a push."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ecr as ecr

from lambda_src.image_repository.construct import DEFAULT_LIFECYCLE_POLICY
from lambda_src.image_repository.lifecycle.checks import check
from lambda_src.image_repository.lifecycle.policy import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from lambda_src.options import Options

_PREFIX = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*/?|ROOT")


class MadeFor(Enum):
    """Why Amazon ECR makes a repository."""

    PULL_THROUGH_CACHE = "PULL_THROUGH_CACHE"
    REPLICATION = "REPLICATION"
    CREATE_ON_PUSH = "CREATE_ON_PUSH"


@dataclass(frozen=True)
class CreationTemplate:
    """Holds for repositories that are made from now on, and changes none that there are.

    :param prefix: how their names begin; ``ROOT`` for those that have no template of their own.
    :param made_for: one reason or more.
    :param lifecycle_policy: as :class:`ImageRepository` takes it; by default untagged images go after 14 days.
    :param immutable_tags: whether tags stay what they are. A cache must be able to move them: what is ``latest``
        upstream changes.
    """

    prefix: str
    made_for: Sequence[MadeFor]
    lifecycle_policy: Mapping[str, Any] | None = None
    immutable_tags: bool = False

    @property
    def policy(self) -> Mapping[str, Any]:
        """The lifecycle policy, as it is deployed."""
        return self.lifecycle_policy or DEFAULT_LIFECYCLE_POLICY


def check_templates(options: Options, templates: Sequence[CreationTemplate]) -> None:
    """Note what AWS would refuse."""
    for number, template in enumerate(templates):
        option = f"creation_templates[{number}]"
        fits = len(template.prefix) <= 256 and _PREFIX.fullmatch(template.prefix) is not None
        permitted = "up to 256 lower case letters and digits, with any of ._-/ between them, or ROOT"
        options.require(fits, f"{option}.prefix", template.prefix, permitted)
        options.require(bool(template.made_for), f"{option}.made_for", "empty", "one reason or more")
        cached = MadeFor.PULL_THROUGH_CACHE in template.made_for
        options.require(
            not (cached and template.immutable_tags),
            f"{option}.immutable_tags",
            "on",
            "a cache has to move its tags as the upstream does; give it a template of its own",
        )
        options.problems += [f"{option}.lifecycle_policy {problem}" for problem in check(template.policy).problems]


def add_template(scope: Construct, template: CreationTemplate) -> ecr.CfnRepositoryCreationTemplate:
    """Make the template; it is encrypted as Amazon ECR does by itself, which needs no role of one's own."""
    return ecr.CfnRepositoryCreationTemplate(
        scope,
        f"Template-{template.prefix.strip('/').replace('/', '-')}",
        prefix=template.prefix,
        applied_for=[reason.value for reason in template.made_for],
        image_tag_mutability="IMMUTABLE" if template.immutable_tags else "MUTABLE",
        lifecycle_policy=text_of(template.policy),
    )
