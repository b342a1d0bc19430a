"""A repository of container images that are scanned, whose tags stay what they are, and of which old ones go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from aws_cdk import Annotations, Token
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from lambda_src.acknowledged import acknowledge
from lambda_src.image_repository.lifecycle.checks import check
from lambda_src.image_repository.lifecycle.policy import text_of
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from lambda_src.options import Options

#: What becomes of images by default: those that lost their last tag go, after two weeks.
DEFAULT_LIFECYCLE_POLICY: Mapping[str, Any] = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Untagged for two weeks",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}
_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_NAME = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"


class ImageRepository(ecr.Repository):
    """A private repository of Amazon ECR: scanned, encrypted, with tags that nobody can move, and a lifecycle policy.

    The lifecycle policy is the document that AWS takes, so that one file is deployed by this block and tried by
    ``lab ecr preview`` before. What AWS would refuse is refused here; rules that can never act are warned of.

    :param repository_name: physical name, 2 to 256 characters: lower case letters, digits, and any of ``._-/`` between
        them; CloudFormation makes one by default.
    :param lifecycle_policy: the document with its ``rules``; by default untagged images go after 14 days.
    :param mutable_tags: tags that may be moved to another image, up to 5, with ``*`` for any text in them,
        such as ``latest`` or ``dev-*``; none by default.
    :param scan_on_push: look for vulnerabilities in each image that is pushed, where the registry's own scanning
        configuration does not say otherwise.
    :param encryption_key: customer managed KMS key, for as long as the repository exists; by default a key that
        Amazon S3 manages, at no cost.
    :param pull_accounts: ids of other accounts whose roles may be permitted to pull.
    :param pull_organization: id of an organization, such as ``o-a1b2c3d4e5``, all of whose accounts may be.
    :param posture: ``PRODUCTION`` keeps the repository when its stack is deleted; in ``LAB`` it goes with its images.
    :raises ValueError: naming every option outside its range, and everything that is wrong with the policy.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Repositories.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        repository_name: str | None = None,
        lifecycle_policy: Mapping[str, Any] = DEFAULT_LIFECYCLE_POLICY,
        mutable_tags: Sequence[str] = (),
        scan_on_push: bool = True,
        encryption_key: kms.IKey | None = None,
        pull_accounts: Sequence[str] = (),
        pull_organization: str | None = None,
        posture: Posture = Posture.LAB,
    ) -> None:
        """Check the options, then make the repository."""
        policy = check(lifecycle_policy)
        with checked(ImageRepository, scope, construct_id) as options:
            named = repository_name is None or (
                2 <= len(repository_name) <= 256 and re.fullmatch(_NAME, repository_name) is not None
            )
            options.require(
                named,
                "repository_name",
                repository_name,
                "2 to 256 lower case letters and digits, with any of ._-/ between them",
            )
            _check_mutable_tags(options, mutable_tags)
            _check_readers(options, pull_accounts, pull_organization)
            options.problems += [f"lifecycle_policy {problem}" for problem in policy.problems]
        mutability = ecr.TagMutability.IMMUTABLE_WITH_EXCLUSION if mutable_tags else ecr.TagMutability.IMMUTABLE
        super().__init__(
            scope,
            construct_id,
            repository_name=repository_name,
            image_scan_on_push=scan_on_push,
            image_tag_mutability=mutability,
            image_tag_mutability_exclusion_filters=[*map(ecr.ImageTagMutabilityExclusionFilter.wildcard, mutable_tags)]
            or None,
            encryption=ecr.RepositoryEncryption.KMS if encryption_key else ecr.RepositoryEncryption.AES_256,
            encryption_key=encryption_key,
            empty_on_delete=not posture.protects_data,
            removal_policy=posture.removal_policy,
        )
        # The CDK's own rules know nothing of the archive, nor of when an image was pulled.
        self._resource.lifecycle_policy = ecr.CfnRepository.LifecyclePolicyProperty(
            lifecycle_policy_text=text_of(lifecycle_policy)
        )
        for number, warning in enumerate(policy.warnings):
            Annotations.of(self).add_warning_v2(
                f"serverless-lab:lifecycle-rule-{number}", f"lifecycle_policy {warning}"
            )
        if pull_accounts:
            self._let_pull("PullFromAccounts", *map(iam.AccountPrincipal, dict.fromkeys(pull_accounts)))
        if pull_organization:
            self._let_pull("PullFromOrganization", iam.OrganizationPrincipal(pull_organization))
            acknowledge(
                self,
                "AwsSolutions-ECR1",
                reason="The statement is for anybody on the condition that they belong to the organization: that is "
                "how AWS has one written.",
            )
        self._acknowledge(encryption_key, mutable_tags, scan_on_push)

    def add_lifecycle_rule(self, **_: Any) -> NoReturn:
        """Refuse a rule apart from the others: the option ``lifecycle_policy`` has all of them, checked together."""
        raise TypeError(f"{self.node.path} has its rules in the option lifecycle_policy: add this one there")

    @property
    def _resource(self) -> ecr.CfnRepository:
        resource = self.node.default_child
        assert isinstance(resource, ecr.CfnRepository)  # noqa: S101 - for mypy: it is what the CDK makes
        return resource

    def _let_pull(self, sid: str, *readers: iam.IPrincipal) -> None:
        self.add_to_resource_policy(iam.PolicyStatement(sid=sid, actions=_PULL, principals=list(readers)))

    def _acknowledge(self, encryption_key: kms.IKey | None, mutable_tags: Sequence[str], scan_on_push: bool) -> None:
        if encryption_key is None:
            acknowledge(
                self,
                "CKV_AWS_136",
                reason="No encryption_key was given: Amazon ECR encrypts every layer with a key that Amazon S3 "
                "manages (AES-256), which the tool does not count.",
            )
        if mutable_tags:
            acknowledge(
                self,
                "CKV_AWS_51",
                reason="Every tag is immutable but those that mutable_tags names, which the tool does not know yet.",
            )
        if not scan_on_push:
            acknowledge(
                self,
                "CKV_AWS_163",
                reason="Whoever made the repository said scan_on_push=False, because something else scans its images.",
            )


def _check_mutable_tags(options: Options, mutable_tags: Sequence[str]) -> None:
    options.require(len(mutable_tags) <= 5, "mutable_tags", f"{len(mutable_tags)} texts", "5 at most")
    for tag in mutable_tags:
        fits = re.fullmatch(r"[0-9A-Za-z._*-]{1,128}", tag) is not None
        options.require(fits, "mutable_tags", tag, "1 to 128 letters, digits, and any of ._*-")


def _check_readers(options: Options, accounts: Sequence[str], organization: str | None) -> None:
    for account in accounts:
        fits = Token.is_unresolved(account) or re.fullmatch(r"\d{12}", account) is not None
        options.require(fits, "pull_accounts", account, "the 12 digits of an account")
    fits = organization is None or re.fullmatch(r"o-[a-z0-9]{10,32}", organization) is not None
    options.require(fits, "pull_organization", organization, "o- and 10 to 32 lower case letters and digits")
