"""The settings of an account's registry in a region: scanning, replication, caches, and templates for repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from constructs import Construct

from lambda_src.image_registry.caching import cache, check_cache_rules
from lambda_src.image_registry.creation import add_template, check_templates
from lambda_src.image_registry.replication import check_accounts, check_replication, let_replicate, replicate
from lambda_src.options import checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_src.image_registry.caching import CacheRule
    from lambda_src.image_registry.creation import CreationTemplate
    from lambda_src.image_registry.replication import Replication
    from lambda_src.image_registry.scanning import Scanning


class ImageRegistry(Construct):
    """Settings that are one of each in an account and region, and hold for all its repositories.

    A second one in the same account and region would overwrite the first one's. So this belongs to whoever looks after
    the account, once, and into no application's stack unless it is asked for. What is left out stays as it is.

    :param scanning: which images are scanned, how deeply and how often.
    :param replication: where images are copied to when they are pushed, up to 10 rules.
    :param replicate_from: ids of accounts that may copy their images here.
    :param cache_rules: which other registries are cached, up to 50, each with a prefix of its own.
    :param creation_templates: what the repositories are like that Amazon ECR makes by itself.
    :raises ValueError: naming every option outside its range, and every pair that excludes each other.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-settings.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        scanning: Scanning | None = None,
        replication: Sequence[Replication] = (),
        replicate_from: Sequence[str] = (),
        cache_rules: Sequence[CacheRule] = (),
        creation_templates: Sequence[CreationTemplate] = (),
    ) -> None:
        """Check the options, then make what was given."""
        with checked(ImageRegistry, scope, construct_id) as options:
            if scanning:
                scanning.check(options)
            check_replication(options, Stack.of(scope), replication)
            check_accounts(options, "replicate_from", replicate_from)
            check_cache_rules(options, cache_rules)
            check_templates(options, creation_templates)
        super().__init__(scope, construct_id)
        if scanning:
            scanning.make(self)
        if replication:
            replicate(self, replication)
        if replicate_from:
            let_replicate(self, replicate_from)
        templates = [add_template(self, template) for template in creation_templates]
        for rule in cache_rules:
            # A template holds for what is made after it.
            cached = cache(self, rule)
            for template in templates:
                cached.add_resource_dependency(template)
