"""Which other registries are cached here: a pull goes through, and leaves a copy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from aws_cdk import Token
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from lambda_src.options import Options

_PREFIX = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*/?|ROOT")
_SECRET = re.compile(r"arn:[a-zA-Z-]+:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr-pullthroughcache/[a-zA-Z0-9/_+=.@-]+")
_MOST_RULES = 50


class Upstream(Enum):
    """A registry that AWS caches: its name, its address if it has but one, and what it asks for."""

    def __init__(self, registry: str, address: str | None, asks_for: str) -> None:
        """Name what AWS calls it, where it is if there is but one, and what it asks for: nothing, a secret, a role."""
        self.registry = registry
        self.address = address
        self.asks_for = asks_for

    ECR_PUBLIC = ("ecr-public", "public.ecr.aws", "nothing")
    KUBERNETES = ("k8s", "registry.k8s.io", "nothing")
    QUAY = ("quay", "quay.io", "nothing")
    DOCKER_HUB = ("docker-hub", "registry-1.docker.io", "secret")
    GITHUB = ("github-container-registry", "ghcr.io", "secret")
    GITLAB = ("gitlab-container-registry", "registry.gitlab.com", "secret")
    CHAINGUARD = ("chainguard", "cgr.dev", "secret")
    AZURE = ("azure-container-registry", None, "secret")
    ECR = ("ecr", None, "role")


@dataclass(frozen=True)
class CacheRule:
    """Images of an upstream registry, pulled by ``REGISTRY/PREFIX/NAME``; ECR asks at most once in 24 hours for newer.

    :param upstream: which registry.
    :param prefix: how the names of the repositories that are made for it begin, 2 to 30 characters; ``ROOT`` for none.
    :param address: host name of the upstream, where there are many: ``NAME.azurecr.io``, or that of another ECR.
    :param secret: with ``username`` and ``accessToken``, in this account and region; its name begins with
        ``ecr-pullthroughcache/``. Every upstream takes one but those that are public and Amazon ECR.
    :param role: pulls from another account's Amazon ECR.
    :param upstream_prefix: how names begin there; by default any.
    """

    upstream: Upstream
    prefix: str
    address: str | None = None
    secret: secretsmanager.ISecret | None = None
    role: iam.IRole | None = None
    upstream_prefix: str | None = None


def check_cache_rules(options: Options, rules: Sequence[CacheRule]) -> None:
    """Note what AWS would refuse."""
    options.require(len(rules) <= _MOST_RULES, "cache_rules", f"{len(rules)} rules", f"{_MOST_RULES} at most")
    prefixes = [rule.prefix.rstrip("/") for rule in rules]
    twice = sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1})
    options.require(not twice, "cache_rules", f"more than one for {', '.join(twice)}", "one for each prefix")
    for number, rule in enumerate(rules):
        _check(options, f"cache_rules[{number}]", rule)


def cache(scope: Construct, rule: CacheRule) -> ecr.CfnPullThroughCacheRule:
    """Make the rule; its construct has the prefix for a name, so that rules can change places."""
    return ecr.CfnPullThroughCacheRule(
        scope,
        f"Cache-{rule.prefix.strip('/').replace('/', '-')}",
        ecr_repository_prefix=rule.prefix,
        upstream_registry=rule.upstream.registry,
        upstream_registry_url=rule.address or rule.upstream.address,
        upstream_repository_prefix=rule.upstream_prefix,
        credential_arn=rule.secret.secret_arn if rule.secret else None,
        custom_role_arn=rule.role.role_arn if rule.role else None,
    )


def _check(options: Options, option: str, rule: CacheRule) -> None:
    permitted = "2 to 30 lower case letters and digits, with any of ._-/ between them, or ROOT"
    for name, prefix in (("prefix", rule.prefix), ("upstream_prefix", rule.upstream_prefix)):
        fits = prefix is None or (2 <= len(prefix) <= 30 and _PREFIX.fullmatch(prefix) is not None)
        options.require(fits, f"{option}.{name}", prefix, permitted)
    named, asks_for = rule.upstream.registry, rule.upstream.asks_for
    if rule.upstream.address is None:
        options.require(rule.address is not None, f"{option}.address", None, f"which one of {named}: its host name")
    else:
        only = f"{named} is at {rule.upstream.address} alone; leave it out"
        options.require(rule.address in (None, rule.upstream.address), f"{option}.address", rule.address, only)
    for name, given in (("secret", rule.secret), ("role", rule.role)):
        needed = asks_for == name
        said = "given" if given else None
        options.require(bool(given) == needed, f"{option}.{name}", said, f"{named} asks for {asks_for}")
    if rule.secret and not Token.is_unresolved(rule.secret.secret_arn):
        fits = _SECRET.fullmatch(rule.secret.secret_arn) is not None
        options.require(
            fits, f"{option}.secret", rule.secret.secret_arn, "a secret whose name begins with ecr-pullthroughcache/"
        )
