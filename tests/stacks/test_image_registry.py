"""The block of the registry's own settings: what is deployed, and what it refuses, before AWS would."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from lambda_src.image_registry.caching import CacheRule, Upstream
from lambda_src.image_registry.construct import ImageRegistry
from lambda_src.image_registry.creation import CreationTemplate, MadeFor
from lambda_src.image_registry.replication import Destination, Replication
from lambda_src.image_registry.scanning import Scanning, ScanType
from lambda_src.image_repository.construct import DEFAULT_LIFECYCLE_POLICY
from lambda_src.options import InvalidOptionsError
from tests.stacks.synthesis import CONTEXT, only, resources

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:ecr-pullthroughcache/hub-a1B2c3"  # noqa: S105


def secret(stack: Stack, arn: str = SECRET) -> secretsmanager.ISecret:
    return secretsmanager.Secret.from_secret_complete_arn(stack, "Secret", arn)


def role(stack: Stack) -> iam.IRole:
    return iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/pulls")


def deployed(stack: Stack, **options: Any) -> dict[str, Any]:
    ImageRegistry(stack, "Registry", **options)
    return Template.from_stack(stack).to_json()


def refusal(stack: Stack, **options: Any) -> list[str]:
    """Return what the block says of its options, without the line that names the block."""
    with pytest.raises(InvalidOptionsError) as refused:
        ImageRegistry(stack, "Registry", **options)
    first, *problems = str(refused.value).splitlines()
    assert first == "ImageRegistry Empty/Registry:"
    return [problem.strip() for problem in problems]


def test_what_is_left_out_stays_as_it_is(stack: Stack) -> None:
    made = deployed(stack, cache_rules=[CacheRule(Upstream.QUAY, "quay")])["Resources"].values()

    assert [resource["Type"] for resource in made] == ["AWS::ECR::PullThroughCacheRule"]


def test_images_are_scanned_on_push_or_continuously(stack: Stack) -> None:
    made = only(
        deployed(stack, scanning=Scanning(ScanType.ENHANCED, on_push=["dev/*"], continuously=["shop/*", "web"])),
        "AWS::ECR::RegistryScanningConfiguration",
    )

    assert made["ScanType"] == "ENHANCED"
    assert {rule["ScanFrequency"]: [one["Filter"] for one in rule["RepositoryFilters"]] for rule in made["Rules"]} == {
        "SCAN_ON_PUSH": ["dev/*"],
        "CONTINUOUS_SCAN": ["shop/*", "web"],
    }


def test_basic_scanning_is_of_all_repositories_by_default(stack: Stack) -> None:
    made = only(deployed(stack, scanning=Scanning(ScanType.BASIC)), "AWS::ECR::RegistryScanningConfiguration")

    [rule] = made["Rules"]
    assert rule["RepositoryFilters"] == [{"Filter": "*", "FilterType": "WILDCARD"}]


def test_impossible_scanning_is_refused(stack: Stack) -> None:
    assert refusal(stack, scanning=Scanning(ScanType.BASIC, on_push=["Shop"], continuously=["shop"])) == [
        "scanning.on_push is Shop: up to 255 lower case letters, digits, and any of ._-/*",
        "scanning.continuously is shop: basic scanning looks once; say ScanType.ENHANCED, or leave it out",
    ]
    assert refusal(stack, scanning=Scanning(ScanType.BASIC, on_push=["a"] * 101)) == [
        "scanning.on_push is 101 names: 100 at most"
    ]


def test_images_are_copied_to_other_regions_and_accounts(stack: Stack) -> None:
    rule = Replication([Destination("eu-west-1"), Destination("us-west-2", "111122223333")], prefixes=["shop/"])
    made = only(deployed(stack, replication=[rule]), "AWS::ECR::ReplicationConfiguration")

    [written] = made["ReplicationConfiguration"]["Rules"]
    assert written["Destinations"] == [
        {"Region": "eu-west-1", "RegistryId": {"Ref": "AWS::AccountId"}},
        {"Region": "us-west-2", "RegistryId": "111122223333"},
    ]
    assert written["RepositoryFilters"] == [{"Filter": "shop/", "FilterType": "PREFIX_MATCH"}]


def test_impossible_replication_is_refused(stack: Stack) -> None:
    assert refusal(
        stack, replication=[Replication([]), Replication([Destination("EU!", "12")], prefixes=["x", "Shop"])]
    ) == [
        "replication[0].destinations is empty: give one or more",
        "replication[1].destinations is EU!: a region, such as eu-west-1",
        "replication[1].destinations is 12: the 12 digits of an account",
        "replication[1].prefixes is x: 2 to 256 lower case letters, digits, and any of ._-/ between them",
        "replication[1].prefixes is Shop: 2 to 256 lower case letters, digits, and any of ._-/ between them",
    ]
    many = [Replication([Destination(f"eu-west-{number}") for number in range(26)])]
    assert refusal(stack, replication=many) == ["replication is to 26 registries: 25 different ones at most"]
    rules = [Replication([Destination("eu-west-1")])] * 11
    assert refusal(stack, replication=rules) == ["replication is 11 rules: 10 at most"]


def test_a_registry_is_not_copied_to_itself() -> None:
    here = Stack(App(context=CONTEXT), "Empty", env=Environment(region="eu-west-1", account="111122223333"))

    assert refusal(here, replication=[Replication([Destination("eu-west-1")])]) == [
        "replication[0].destinations is eu-west-1: it is the registry itself; give another region or another account"
    ]
    ImageRegistry(here, "Other", replication=[Replication([Destination("eu-west-1", "444455556666")])])


def test_other_accounts_may_copy_their_images_here_and_do_nothing_else(stack: Stack) -> None:
    template = deployed(stack, replicate_from=["111122223333", "111122223333"])

    [statement] = only(template, "AWS::ECR::RegistryPolicy")["PolicyText"]["Statement"]
    assert statement["Action"] == ["ecr:CreateRepository", "ecr:ReplicateImage"]
    assert len(statement["Principal"]["AWS"]) == 1
    assert "repository/*" in json.dumps(statement["Resource"])


def test_only_an_account_may(stack: Stack) -> None:
    assert refusal(stack, replicate_from=["*"]) == ["replicate_from is *: the 12 digits of an account"]


@pytest.mark.parametrize("upstream", Upstream)
def test_an_upstream_is_cached_with_what_it_asks_for(stack: Stack, upstream: Upstream) -> None:
    rule = CacheRule(
        upstream,
        "cached",
        address=None if upstream.address else "one.example.com",
        secret=secret(stack) if upstream.asks_for == "secret" else None,
        role=role(stack) if upstream.asks_for == "role" else None,
    )

    made = only(deployed(stack, cache_rules=[rule]), "AWS::ECR::PullThroughCacheRule")

    assert made["UpstreamRegistry"] == upstream.registry
    assert made["UpstreamRegistryUrl"] == (upstream.address or "one.example.com")
    assert ("CredentialArn" in made, "CustomRoleArn" in made) == (
        upstream.asks_for == "secret",
        upstream.asks_for == "role",
    )


def test_impossible_caches_are_refused(stack: Stack) -> None:
    assert refusal(
        stack,
        cache_rules=[
            CacheRule(Upstream.DOCKER_HUB, "hub"),
            CacheRule(Upstream.QUAY, "Q", address="quay.example", role=role(stack)),
            CacheRule(Upstream.AZURE, "hub/", secret=secret(stack, SECRET.replace("ecr-pullthroughcache/", ""))),
        ],
    ) == [
        "cache_rules is more than one for hub: one for each prefix",
        "cache_rules[0].secret is None: docker-hub asks for secret",
        "cache_rules[1].prefix is Q: 2 to 30 lower case letters and digits, with any of ._-/ between them, or ROOT",
        "cache_rules[1].address is quay.example: quay is at quay.io alone; leave it out",
        "cache_rules[1].role is given: quay asks for nothing",
        "cache_rules[2].address is None: which one of azure-container-registry: its host name",
        "cache_rules[2].secret is arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-a1B2c3: "
        "a secret whose name begins with ecr-pullthroughcache/",
    ]


def test_there_are_fifty_caches_at_most(stack: Stack) -> None:
    rules = [CacheRule(Upstream.QUAY, f"cache{number}") for number in range(51)]
    assert refusal(stack, cache_rules=rules) == ["cache_rules is 51 rules: 50 at most"]


def test_what_amazon_ecr_makes_by_itself_follows_a_template_that_is_there_before_the_cache(stack: Stack) -> None:
    template = deployed(
        stack,
        cache_rules=[CacheRule(Upstream.QUAY, "quay")],
        creation_templates=[
            CreationTemplate("quay", [MadeFor.PULL_THROUGH_CACHE]),
            CreationTemplate("ROOT", [MadeFor.REPLICATION, MadeFor.CREATE_ON_PUSH], immutable_tags=True),
        ],
    )

    made = {one["Prefix"]: one for one in resources(template, "AWS::ECR::RepositoryCreationTemplate").values()}
    assert made["quay"]["ImageTagMutability"] == "MUTABLE"
    assert made["ROOT"]["ImageTagMutability"] == "IMMUTABLE"
    assert made["ROOT"]["AppliedFor"] == ["REPLICATION", "CREATE_ON_PUSH"]
    assert json.loads(made["ROOT"]["LifecyclePolicy"]) == DEFAULT_LIFECYCLE_POLICY
    [cache] = [one for one in template["Resources"].values() if one["Type"] == "AWS::ECR::PullThroughCacheRule"]
    assert set(cache["DependsOn"]) == set(resources(template, "AWS::ECR::RepositoryCreationTemplate"))


def test_impossible_templates_are_refused(stack: Stack) -> None:
    said = refusal(
        stack,
        creation_templates=[
            CreationTemplate("Quay", []),
            CreationTemplate("quay", [MadeFor.PULL_THROUGH_CACHE], {"rules": []}, immutable_tags=True),
        ],
    )
    assert said[:3] == [
        "creation_templates[0].prefix is Quay: up to 256 lower case letters and digits, with any of ._-/ between them, "
        "or ROOT",
        "creation_templates[0].made_for is empty: one reason or more",
        "creation_templates[1].immutable_tags is on: a cache has to move its tags as the upstream does; give it a "
        "template of its own",
    ]
    assert said[3].startswith("creation_templates[1].lifecycle_policy ")
