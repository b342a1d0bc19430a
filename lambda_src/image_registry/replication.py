"""Where images go when they are pushed, and from where they may come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack, Token
from aws_cdk import aws_ecr as ecr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from lambda_src.options import Options

_PREFIX = re.compile(r"([a-z0-9]+([._-][a-z0-9]*)*/)*[a-z0-9]*([._-][a-z0-9]*)*")
_REGION = re.compile(r"[0-9a-z-]{2,25}")
_MOST_RULES, _MOST_DESTINATIONS, _MOST_PREFIXES = 10, 25, 100


@dataclass(frozen=True)
class Destination:
    """A registry: another region of this account, or of another one.

    :param account: whose registry policy must permit it; by default this account.
    """

    region: str
    account: str | None = None


@dataclass(frozen=True)
class Replication:
    """What is pushed from now on is copied to other registries, usually within half an hour.

    A copy is not copied on; a lifecycle policy or a deletion is not copied at all.

    :param destinations: 1 or more; 25 in all rules together.
    :param prefixes: how the names of the repositories begin, up to 100; by default all repositories.
    """

    destinations: Sequence[Destination]
    prefixes: Sequence[str] = ()


def check_replication(options: Options, stack: Stack, rules: Sequence[Replication]) -> None:
    """Note what AWS would refuse."""
    options.require(len(rules) <= _MOST_RULES, "replication", f"{len(rules)} rules", f"{_MOST_RULES} at most")
    everywhere = {destination for rule in rules for destination in rule.destinations}
    most = f"{_MOST_DESTINATIONS} different ones at most"
    options.require(len(everywhere) <= _MOST_DESTINATIONS, "replication", f"to {len(everywhere)} registries", most)
    for number, rule in enumerate(rules):
        option = f"replication[{number}]"
        options.require(bool(rule.destinations), f"{option}.destinations", "empty", "give one or more")
        many = f"{_MOST_PREFIXES} at most"
        options.require(len(rule.prefixes) <= _MOST_PREFIXES, f"{option}.prefixes", f"{len(rule.prefixes)}", many)
        for destination in rule.destinations:
            _check_destination(options, stack, f"{option}.destinations", destination)
        for prefix in rule.prefixes:
            fits = 2 <= len(prefix) <= 256 and _PREFIX.fullmatch(prefix) is not None
            allowed = "2 to 256 lower case letters, digits, and any of ._-/ between them"
            options.require(fits, f"{option}.prefixes", prefix, allowed)


def check_accounts(options: Options, option: str, accounts: Sequence[str]) -> None:
    """Note what is no account."""
    for account in accounts:
        fits = re.fullmatch(r"\d{12}", account) is not None
        options.require(fits, option, account, "the 12 digits of an account")


def replicate(scope: Construct, rules: Sequence[Replication]) -> ecr.CfnReplicationConfiguration:
    """Make the registry's setting."""
    made = ecr.CfnReplicationConfiguration
    return made(
        scope,
        "Replication",
        replication_configuration=made.ReplicationConfigurationProperty(
            rules=[
                made.ReplicationRuleProperty(
                    destinations=[
                        made.ReplicationDestinationProperty(
                            region=one.region, registry_id=one.account or Stack.of(scope).account
                        )
                        for one in rule.destinations
                    ],
                    repository_filters=[
                        made.RepositoryFilterProperty(filter=prefix, filter_type="PREFIX_MATCH")
                        for prefix in rule.prefixes
                    ]
                    or None,
                )
                for rule in rules
            ]
        ),
    )


def let_replicate(scope: Construct, accounts: Sequence[str]) -> ecr.CfnRegistryPolicy:
    """Let other accounts copy their images here, into repositories that are made for them.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions-create-replication.html
    """
    stack = Stack.of(scope)
    statement: dict[str, Any] = {
        "Sid": "ReplicationFromAccounts",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:{stack.partition}:iam::{account}:root" for account in dict.fromkeys(accounts)]},
        "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
        "Resource": stack.format_arn(service="ecr", resource="repository", resource_name="*"),
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return ecr.CfnRegistryPolicy(scope, "Policy", policy_text=document)


def _check_destination(options: Options, stack: Stack, option: str, destination: Destination) -> None:
    region, account = destination.region, destination.account
    options.require(_REGION.fullmatch(region) is not None, option, region, "a region, such as eu-west-1")
    check_accounts(options, option, [account] if account else [])
    here = not Token.is_unresolved(stack.region) and region == stack.region and account in (None, stack.account)
    options.require(not here, option, region, "it is the registry itself; give another region or another account")
