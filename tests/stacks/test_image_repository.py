"""The image repository block: what is deployed, and what it refuses, before AWS would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template

from lambda_src.image_repository.construct import DEFAULT_LIFECYCLE_POLICY, ImageRepository
from lambda_src.image_repository.lifecycle.checks import check
from lambda_src.posture import Posture
from tests.stacks.policies import PACKS, cdk_nag_findings, cfn_lint_findings, checkov_findings
from tests.stacks.synthesis import CONTEXT, Synthesized, only
from tests.unit.lifecycle_examples import keep, policy, rule

KIND = "AWS::ECR::Repository"
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def deployed(stack: Stack) -> dict[str, Any]:
    return only(Template.from_stack(stack).to_json(), KIND)


def test_by_default_it_is_scanned_and_its_tags_are_immutable(stack: Stack) -> None:
    ImageRepository(stack, "Images")

    properties = deployed(stack)
    assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert properties["ImageTagMutability"] == "IMMUTABLE"
    # AES-256 is what ECR has without a configuration, as a change of it would replace the repository.
    assert not {"RepositoryName", "EncryptionConfiguration", "RepositoryPolicyText"} & set(properties)
    assert json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"]) == DEFAULT_LIFECYCLE_POLICY


def test_the_default_lifecycle_policy_is_one_that_aws_takes() -> None:
    made = check(DEFAULT_LIFECYCLE_POLICY)
    assert (made.problems, made.warnings) == ([], [])


@pytest.mark.parametrize(
    ("posture", "emptied", "deletion"),
    [(Posture.LAB, True, "Delete"), (Posture.PRODUCTION, False, "RetainExceptOnCreate")],
)
def test_posture_says_whether_images_can_be_lost(stack: Stack, posture: Posture, emptied: bool, deletion: str) -> None:
    ImageRepository(stack, "Images", posture=posture)

    Template.from_stack(stack).has_resource(
        KIND,
        {
            "DeletionPolicy": deletion,
            "UpdateReplacePolicy": deletion.removesuffix("ExceptOnCreate"),
            "Properties": {"EmptyOnDelete": emptied},
        },
    )


def test_every_other_option_reaches_the_repository(stack: Stack) -> None:
    document = policy(keep(1, 10, "v*"), rule(2, "sinceImagePushed", 90, action={"type": "expire"}))
    ImageRepository(
        stack,
        "Images",
        repository_name="team/app",
        lifecycle_policy=document,
        mutable_tags=["latest", "dev-*"],
        scan_on_push=False,
        encryption_key=kms.Key(stack, "Key"),
    )

    properties = deployed(stack)
    assert properties["RepositoryName"] == "team/app"
    assert json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"]) == document
    assert properties["ImageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    filters = properties["ImageTagMutabilityExclusionFilters"]
    assert [one["ImageTagMutabilityExclusionFilterValue"] for one in filters] == ["latest", "dev-*"]
    assert properties["ImageScanningConfiguration"] == {"ScanOnPush": False}
    assert properties["EncryptionConfiguration"]["EncryptionType"] == "KMS"


def test_other_accounts_may_pull_and_nothing_else(stack: Stack) -> None:
    ImageRepository(stack, "Images", pull_accounts=["111122223333", "444455556666", "111122223333"])

    [statement] = deployed(stack)["RepositoryPolicyText"]["Statement"]
    assert statement["Action"] == PULL
    assert [":".join(map(str, one["Fn::Join"][1])) for one in statement["Principal"]["AWS"]] == [
        f"arn::{{'Ref': 'AWS::Partition'}}::iam::{account}:root" for account in ("111122223333", "444455556666")
    ]


def test_an_organization_may_pull_and_nobody_outside_it(stack: Stack) -> None:
    ImageRepository(stack, "Images", pull_organization="o-a1b2c3d4e5")

    [statement] = deployed(stack)["RepositoryPolicyText"]["Statement"]
    assert statement["Action"] == PULL
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}


NAME = "2 to 256 lower case letters and digits, with any of ._-/ between them"
REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"repository_name": "Team/App"}, [f"repository_name is Team/App: {NAME}"]),
    ({"repository_name": "a"}, [f"repository_name is a: {NAME}"]),
    (
        {"mutable_tags": ["a b", "a/b"]},
        [f"mutable_tags is {tag}: 1 to 128 letters, digits, and any of ._*-" for tag in ("a b", "a/b")],
    ),
    ({"mutable_tags": list("abcdef")}, ["mutable_tags is 6 texts: 5 at most"]),
    ({"pull_accounts": ["1111"]}, ["pull_accounts is 1111: the 12 digits of an account"]),
    (
        {"pull_organization": "r-1234"},
        ["pull_organization is r-1234: o- and 10 to 32 lower case letters and digits"],
    ),
    (
        {"repository_name": "A1", "lifecycle_policy": policy(rule(1, "sinceImagePulled", 0))},
        [
            f"repository_name is A1: {NAME}",
            "lifecycle_policy rules[0].selection.countNumber is 0: a whole number, 1 or more",
            "lifecycle_policy rules[0].action.type is expire: transition, for sinceImagePulled; another rule can "
            "expire what it archived, by sinceImageTransitioned",
        ],
    ),
]


@pytest.mark.parametrize(("options", "problems"), REFUSED, ids=[problems[0][:40] for _, problems in REFUSED])
def test_it_refuses(stack: Stack, options: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(ValueError, match="ImageRepository Empty/Images:") as refusal:
        ImageRepository(stack, "Images", **options)

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}" for problem in problems]


def test_a_rule_that_can_never_act_is_warned_of(stack: Stack) -> None:
    ImageRepository(stack, "Images", lifecycle_policy=policy(keep(1, 5, "v*"), keep(2, 9, "v1*")))

    said = "lifecycle_policy rules[1] never acts: every image that it selects belongs to the rule of priority 1."
    Annotations.from_stack(stack).has_warning("/Empty/Images", Match.string_like_regexp(said.replace("[1]", r"\[1\]")))


def test_a_rule_apart_from_the_others_is_refused(stack: Stack) -> None:
    repository = ImageRepository(stack, "Images")

    with pytest.raises(TypeError, match="Empty/Images has its rules in the option lifecycle_policy"):
        repository.add_lifecycle_rule(max_image_count=5)


@pytest.fixture(scope="module")
def repositories() -> Synthesized:
    app = App(context=CONTEXT, analytics_reporting=False)
    stack = Stack(app, "Repositories", env=Environment(region="us-east-1"))
    ImageRepository(stack, "Plain")
    ImageRepository(
        stack,
        "Full",
        mutable_tags=["latest"],
        scan_on_push=False,
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        pull_accounts=["111122223333"],
        pull_organization="o-a1b2c3d4e5",
        posture=Posture.PRODUCTION,
    )
    return Synthesized(stack, Path(app.synth().directory))


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(pack: str, repositories: Synthesized) -> None:
    assert cdk_nag_findings(pack, repositories.stack) == []


def test_cfn_lint_and_checkov_find_nothing(repositories: Synthesized) -> None:
    assert cfn_lint_findings(repositories.template_file) == []
    assert checkov_findings([repositories.template_file]) == {repositories.template_file: []}
