"""Storing custom Docker images in Amazon ECR: a repository, who may use it, and what is found in its images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_secretsmanager as secretsmanager

from lab_stacks.section import Section
from lambda_src.email_topic import EmailTopic
from lambda_src.event_rule.construct import EventRule
from lambda_src.image_repository.construct import ImageRepository
from lambda_src.image_repository.findings import SEVERITIES, findings_pattern
from lambda_src.posture import Posture
from lambda_src.queue import event_dead_letter_queue

if TYPE_CHECKING:
    from constructs import Construct

#: The document that AWS takes, which `lab ecr preview --policy` takes too.
LIFECYCLE_POLICY = Path(__file__).with_name("ecr_lifecycle_policy.json")


class Ecr(Section):
    """A private repository of images, and a topic that is told of what is found in them.

    Context: ``repository_name``; ``accounts`` (ids with commas between them) and ``organization_id``, which may pull;
    ``severity`` (``HIGH``) of the findings that are told, and worse, and ``email``, an address that they are told to;
    ``public_repository`` (``made`` adds one of Amazon ECR Public, in us-east-1); and ``registry`` (``configured``
    changes the settings of the account's whole registry, for which ``scanning``, ``replicate_to``, ``replicate_from``
    and ``docker_hub_secret`` are).
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section, in the order in which the chapter tells it."""
        super().__init__(scope, construct_id, **kwargs)

        # Repository and repository policy; lifecycle policies, image scanning, tag mutability
        repository = ImageRepository(
            self,
            "Images",
            repository_name=self.setting("repository_name", "") or None,
            lifecycle_policy=json.loads(LIFECYCLE_POLICY.read_text()),
            mutable_tags=["latest", "dev-*"],
            pull_accounts=self.names("accounts"),
            pull_organization=self.setting("organization_id", "") or None,
            posture=self.posture,
        )
        # Image scanning: results of scans
        operation: dict[str, Any] = {"posture": self.posture, "alarm_topic": self.alarm_topic()}
        dead_letters = event_dead_letter_queue(self, "DeadLetters", **operation)
        topic = EmailTopic(self, "Findings", email=self.setting("email", ""), dead_letter_queue=dead_letters)
        severity = self.choice("severity", "HIGH", *(name for name in SEVERITIES if name != "HIGH"))
        EventRule(
            self,
            "Found",
            event_pattern=findings_pattern(repository.repository_name, at_least=severity, by_hand="by-hand."),
            targets=[targets.SnsTopic(topic, authorize_using_role=True)],
            dead_letter_queue=dead_letters,
            **operation,
        )
        # Sharing between regions and accounts, cache rules: the whole registry's
        if self.choice("registry", "unchanged", "configured") == "configured":
            self._configure_registry()
        # "AWS ECR Public is a similar service"
        if self.choice("public_repository", "none", "made") == "made":
            self._publish()

        self.output("RepositoryName", repository.repository_name)
        self.output("RepositoryUri", repository.repository_uri)
        self.output("TopicArn", topic.topic_arn)
        self.output("DeadLetterQueueUrl", dead_letters.queue_url)

    def _configure_registry(self) -> None:
        from lambda_src.image_registry import caching, creation, replication, scanning  # noqa: PLC0415
        from lambda_src.image_registry.construct import ImageRegistry  # noqa: PLC0415

        enhanced = self.choice("scanning", "basic", "enhanced") == "enhanced"
        destinations = [place.rpartition("/") for place in self.names("replicate_to")]
        rules = [caching.CacheRule(caching.Upstream.ECR_PUBLIC, "ecr-public")]
        if arn := self.setting("docker_hub_secret", ""):
            secret = secretsmanager.Secret.from_secret_complete_arn(self, "DockerHub", arn)
            rules.append(caching.CacheRule(caching.Upstream.DOCKER_HUB, "docker-hub", secret=secret))
        ImageRegistry(
            self,
            "Registry",
            scanning=scanning.Scanning(
                scanning.ScanType.ENHANCED if enhanced else scanning.ScanType.BASIC,
                continuously=["*"] if enhanced and self.posture is Posture.PRODUCTION else [],
            ),
            replication=[
                replication.Replication([replication.Destination(region, account or None)])
                for account, _, region in destinations
            ],
            replicate_from=self.names("replicate_from"),
            cache_rules=rules,
            creation_templates=[
                *(creation.CreationTemplate(one.prefix, [creation.MadeFor.PULL_THROUGH_CACHE]) for one in rules),
                creation.CreationTemplate("ROOT", [creation.MadeFor.REPLICATION], immutable_tags=True),
            ],
        )

    def _publish(self) -> None:
        from lambda_src.public_image_repository.construct import PublicImageRepository  # noqa: PLC0415

        public = PublicImageRepository(
            self, "Public", description="Images of the serverless lab, for everybody", posture=self.posture
        )
        self.output("PublicRepositoryName", public.ref)
