"""The section of images: who may use the repository, what its rule is told, and what of the registry is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.ecr import preview
from lab_stacks import catalog
from lab_stacks.ecr import LIFECYCLE_POLICY
from lab_stacks.names import UnknownNameError
from lambda_src.event_rule.matching import matches
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, only, resources, synthesize

LAB = Form(catalog.section("ecr"), Posture.LAB)
REGISTRY_WIDE = {
    "AWS::ECR::PullThroughCacheRule",
    "AWS::ECR::RegistryPolicy",
    "AWS::ECR::RegistryScanningConfiguration",
    "AWS::ECR::ReplicationConfiguration",
    "AWS::ECR::RepositoryCreationTemplate",
}


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[LAB].template


@pytest.fixture
def registry(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[Form(LAB.entry, Posture.LAB, "registry")].template


def with_settings(**settings: str) -> dict[str, Any]:
    return synthesize({"section": "ecr", **settings})["ecr"].template


def pattern(template: dict[str, Any]) -> dict[str, Any]:
    """Read the rule's pattern, as it is for a repository with the name ``shop``."""
    [repository] = resources(template, "AWS::ECR::Repository")
    text = json.dumps(only(template, "AWS::Events::Rule")["EventPattern"])
    found: dict[str, Any] = json.loads(text.replace(json.dumps({"Ref": repository}), '"shop"'))
    return found


def basic(repository: str = "shop", status: str = "COMPLETE", **counts: int) -> dict[str, Any]:
    """Make an event as Amazon ECR sends it after a scan."""
    return {
        "source": "aws.ecr",
        "detail-type": "ECR Image Scan",
        "resources": [f"arn:aws:ecr:us-east-1:111122223333:repository/{repository}"],
        "detail": {
            "scan-status": status,
            "repository-name": repository,
            "finding-severity-counts": counts,
            "image-digest": "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234",
            "image-tags": [],
        },
    }


def enhanced(severity: str, repository: str = "shop", status: str = "ACTIVE") -> dict[str, Any]:
    """Make an event as Amazon Inspector sends it for a finding."""
    image = {"repositoryName": repository, "imageTags": ["v1"], "architecture": "arm64", "platform": "ALPINE_LINUX"}
    return {
        "source": "aws.inspector2",
        "detail-type": "Inspector2 Finding",
        "detail": {
            "type": "PACKAGE_VULNERABILITY",
            "severity": severity,
            "status": status,
            "resources": [{"type": "AWS_ECR_CONTAINER_IMAGE", "details": {"awsEcrContainerImage": image}}],
        },
    }


def test_the_deployed_lifecycle_policy_is_the_file_that_the_preview_takes(template: dict[str, Any]) -> None:
    document = json.loads(LIFECYCLE_POLICY.read_text())
    deployed = only(template, "AWS::ECR::Repository")["LifecyclePolicy"]["LifecyclePolicyText"]

    assert json.loads(deployed) == document
    assert preview.checked(document, "the file").warnings == []


def test_tags_stay_what_they_are_but_for_those_of_branches(template: dict[str, Any]) -> None:
    repository = only(template, "AWS::ECR::Repository")
    excluded = [
        one["ImageTagMutabilityExclusionFilterValue"] for one in repository["ImageTagMutabilityExclusionFilters"]
    ]

    assert repository["ImageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert excluded == ["latest", "dev-*"]


@pytest.mark.parametrize(
    "event",
    [
        basic(HIGH=1),
        basic(CRITICAL=10, MEDIUM=9),
        {**basic(HIGH=1), "source": "by-hand.aws.ecr"},
        enhanced("HIGH"),
        enhanced("CRITICAL"),
        {**enhanced("CRITICAL"), "source": "by-hand.aws.inspector2"},
    ],
)
def test_bad_findings_are_told(template: dict[str, Any], event: dict[str, Any]) -> None:
    assert matches(pattern(template), event)


@pytest.mark.parametrize(
    "event",
    [
        basic(MEDIUM=9),
        basic(HIGH=0),
        basic(),
        basic(status="FAILED", CRITICAL=1),
        basic(repository="shop-of-others", CRITICAL=1),
        {**basic(CRITICAL=1), "source": "somebody"},
        {**basic(CRITICAL=1), "source": "aws.inspector2"},
        enhanced("MEDIUM"),
        enhanced("UNTRIAGED"),
        enhanced("HIGH", status="CLOSED"),
        enhanced("HIGH", repository="shop-of-others"),
    ],
)
def test_nothing_else_is_told(template: dict[str, Any], event: dict[str, Any]) -> None:
    assert not matches(pattern(template), event)


def test_the_severity_can_be_changed_from_context() -> None:
    changed = pattern(with_settings(severity="MEDIUM"))

    assert matches(changed, basic(MEDIUM=1))
    assert matches(changed, enhanced("MEDIUM"))
    assert not matches(changed, basic(LOW=1))
    assert not matches(changed, enhanced("LOW"))


def test_an_unknown_severity_is_refused_with_the_permitted_ones() -> None:
    with pytest.raises(
        UnknownNameError, match=r"no severity SEVERE\. .*: HIGH, CRITICAL, MEDIUM, LOW, INFORMATIONAL\."
    ):
        with_settings(severity="SEVERE")


def test_an_address_is_subscribed_to_the_findings() -> None:
    subscription = only(with_settings(email="me@example.com"), "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")

    with pytest.raises(InvalidOptionsError, match="email is nobody: give one address"):
        with_settings(email="nobody")


def test_nobody_else_may_pull_unless_named(template: dict[str, Any]) -> None:
    assert "RepositoryPolicyText" not in only(template, "AWS::ECR::Repository")

    shared = with_settings(accounts="111122223333,444455556666", organization_id="o-a1b2c3d4e5")
    accounts, organization = only(shared, "AWS::ECR::Repository")["RepositoryPolicyText"]["Statement"]
    assert len(accounts["Principal"]["AWS"]) == 2
    assert organization["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}


def test_an_account_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidOptionsError, match="pull_accounts is 1234: the 12 digits of an account"):
        with_settings(accounts="111122223333,1234")


def test_a_name_can_be_given_from_context(template: dict[str, Any]) -> None:
    assert "RepositoryName" not in only(template, "AWS::ECR::Repository")
    assert only(with_settings(repository_name="shop"), "AWS::ECR::Repository")["RepositoryName"] == "shop"


def test_the_registry_is_left_alone_unless_it_is_asked_for(template: dict[str, Any], registry: dict[str, Any]) -> None:
    def kinds(of: dict[str, Any]) -> set[str]:
        return {resource["Type"] for resource in of["Resources"].values()}

    assert not REGISTRY_WIDE & kinds(template)
    assert kinds(registry) >= REGISTRY_WIDE


def test_the_registry_is_configured_as_context_says(registry: dict[str, Any]) -> None:
    assert only(registry, "AWS::ECR::RegistryScanningConfiguration")["ScanType"] == "ENHANCED"
    rules = only(registry, "AWS::ECR::ReplicationConfiguration")["ReplicationConfiguration"]["Rules"]
    assert [rule["Destinations"][0] for rule in rules] == [
        {"Region": "eu-west-1", "RegistryId": {"Ref": "AWS::AccountId"}},
        {"Region": "us-west-2", "RegistryId": "111122223333"},
    ]
    cached = {
        rule["EcrRepositoryPrefix"]: rule for rule in resources(registry, "AWS::ECR::PullThroughCacheRule").values()
    }
    assert set(cached) == {"ecr-public", "docker-hub"}
    assert "CredentialArn" not in cached["ecr-public"]
    assert ":secret:ecr-pullthroughcache/docker-hub" in cached["docker-hub"]["CredentialArn"]


def test_images_are_scanned_again_in_production_alone(synthesized_forms: dict[Form, Synthesized]) -> None:
    def frequencies(posture: Posture) -> list[str]:
        template = synthesized_forms[Form(LAB.entry, posture, "registry")].template
        rules = only(template, "AWS::ECR::RegistryScanningConfiguration")["Rules"]
        return [rule["ScanFrequency"] for rule in rules]

    assert frequencies(Posture.LAB) == ["SCAN_ON_PUSH"]
    assert frequencies(Posture.PRODUCTION) == ["SCAN_ON_PUSH", "CONTINUOUS_SCAN"]


def test_a_public_repository_is_made_if_it_is_asked_for(
    template: dict[str, Any], synthesized_forms: dict[Form, Synthesized]
) -> None:
    public = synthesized_forms[Form(LAB.entry, Posture.LAB, "public")].template

    assert resources(template, "AWS::ECR::PublicRepository") == {}
    assert only(public, "AWS::ECR::PublicRepository")["RepositoryCatalogData"]["Architectures"] == ["ARM 64", "x86-64"]
    assert "PublicRepositoryName" in public["Outputs"]


def test_outputs_are_what_the_runbook_needs(template: dict[str, Any]) -> None:
    assert set(template["Outputs"]) == {"DeadLetterQueueUrl", "RepositoryName", "RepositoryUri", "TopicArn"}
