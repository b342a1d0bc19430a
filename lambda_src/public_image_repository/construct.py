"""A repository of Amazon ECR Public, from which everybody may pull, with its page in the gallery."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr

from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

_NAME = re.compile(r"([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*")
_REGION = "us-east-1"
_ARCHITECTURES = ("ARM", "ARM 64", "x86", "x86-64")
_OPERATING_SYSTEMS = ("Linux", "Windows")


class PublicImageRepository(ecr.CfnPublicRepository):
    """A public repository; who may push is said by IAM, and pulling takes no account at all.

    It has no scanning, no lifecycle policy and no tags that stay: what must have these is in a private repository, and
    is pushed here when it is released. Amazon ECR Public is in us-east-1, and is pulled from everywhere.

    :param repository_name: 2 to 205 lower case letters and digits, with any of ``._-/`` between them; CloudFormation
        makes one by default.
    :param description: one line for the gallery, up to 1,024 characters.
    :param about: what is in it, and under which licence; Markdown, up to 10,240 characters.
    :param usage: how it is used; Markdown, up to 10,240 characters.
    :param architectures: any of ``ARM``, ``ARM 64``, ``x86``, ``x86-64``.
    :param operating_systems: ``Linux``, ``Windows``.
    :param posture: ``PRODUCTION`` keeps the repository when its stack is deleted.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/public/public-repositories.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        repository_name: str | None = None,
        description: str,
        about: str | None = None,
        usage: str | None = None,
        architectures: Sequence[str] = ("ARM 64", "x86-64"),
        operating_systems: Sequence[str] = ("Linux",),
        posture: Posture = Posture.LAB,
    ) -> None:
        """Check the options, then make the repository."""
        with checked(PublicImageRepository, scope, construct_id) as options:
            region = Stack.of(scope).region
            options.require(region == _REGION, "the stack's region", region, f"Amazon ECR Public is in {_REGION} alone")
            named = repository_name is None or (
                2 <= len(repository_name) <= 205 and _NAME.fullmatch(repository_name) is not None
            )
            permitted = "2 to 205 lower case letters and digits, with any of ._-/ between them"
            options.require(named, "repository_name", repository_name, permitted)
            for option, text, most in (
                ("description", description, 1024),
                ("about", about or "", 10_240),
                ("usage", usage or "", 10_240),
            ):
                options.require(len(text) <= most, option, f"{len(text):,} characters", f"{most:,} at most")
            for option, values, known in (
                ("architectures", architectures, _ARCHITECTURES),
                ("operating_systems", operating_systems, _OPERATING_SYSTEMS),
            ):
                for value in values:
                    options.require(value in known, option, value, f"one of {', '.join(known)}")
        catalog = {
            "RepositoryDescription": description,
            "AboutText": about,
            "UsageText": usage,
            "Architectures": [*architectures],
            "OperatingSystems": [*operating_systems],
        }
        super().__init__(
            scope,
            construct_id,
            repository_name=repository_name,
            repository_catalog_data={name: value for name, value in catalog.items() if value},
        )
        self.apply_removal_policy(posture.removal_policy)
