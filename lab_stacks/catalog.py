"""The sections of the chapter, in its order. Reading the catalog loads no stack: each is loaded when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from lab_stacks.names import known
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import App

    from lab_stacks.section import Section


@dataclass(frozen=True)
class CatalogEntry:
    """One section: what it is called, where its stack is, and what else context can make of it.

    ``stack_id`` is the stack's id (``cdk deploy SqsLambda``) and the name of its class; ``variants`` names other forms
    of the stack, and the context that asks for each.
    """

    id: str
    stack_id: str
    heading: str
    shows: str
    variants: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The section's name in ``lab_stacks/``, ``lab/runbooks/`` and ``tests/``."""
        return self.id.replace("-", "_")

    def stack(self, app: App, posture: Posture) -> Section:
        """Load the section's stack class and make the stack."""
        made: Section = getattr(import_module(f"lab_stacks.{self.module}"), self.stack_id)(
            app, self.stack_id, section=self.id, posture=posture
        )
        return made


SECTIONS = [
    CatalogEntry(
        id="sqs-lambda",
        stack_id="SqsLambda",
        heading="Lab 15.1. Triggering AWS Lambda from Amazon SQS",
        shows="SQS queue, Lambda function, DynamoDB table",
        variants={"ec2-client": {"client": "ec2"}},
    ),
    CatalogEntry(
        id="eventbridge",
        stack_id="EventBridge",
        heading="Amazon EventBridge (CloudWatch Events)",
        shows="event buses, rules with patterns and schedules, five kinds of targets, archive",
    ),
    CatalogEntry(
        id="ecr",
        stack_id="Ecr",
        heading="Storing Custom Docker Images in Amazon Elastic Container Registry (ECR)",
        shows="image repository with lifecycle, scanning, sharing and immutable tags; the registry's own settings",
        variants={
            "registry": {
                "accounts": "111122223333,444455556666",
                "organization_id": "o-a1b2c3d4e5",
                "registry": "configured",
                "scanning": "enhanced",
                "replicate_to": "eu-west-1,111122223333/us-west-2",
                "replicate_from": "111122223333",
                "docker_hub_secret": "arn:aws:secretsmanager:us-east-1:111122223333:secret:"
                "ecr-pullthroughcache/docker-hub-a1B2c3",
            },
            "public": {"public_repository": "made"},
        },
    ),
    CatalogEntry(
        id="xray",
        stack_id="Xray",
        heading="Using AWS X-Ray for Application Insights",
        shows="API Gateway, Lambda, SNS and SQS traced as one request; trace groups, sampling rules",
        variants={
            "ec2-agent": {"traced_host": "ec2"},
            "ecs-sidecar": {"traced_host": "ecs"},
            "beanstalk": {
                "traced_host": "beanstalk",
                "solution_stack": "64bit Amazon Linux 2023 v4.13.8 running Python 3.13",
            },
            "account": {"xray_account": "configured"},
        },
    ),
    CatalogEntry(
        id="sar",
        stack_id="Sar",
        heading="AWS Serverless Application Repository",
        shows="Lab 15.1 as an application to publish, share and deploy: SAM template, bucket for its code",
    ),
]


def section(section_id: str) -> CatalogEntry:
    """Find a section by its id.

    :raises UnknownNameError: listing the ids, with a guess at what was meant.
    """
    by_id = {entry.id: entry for entry in SECTIONS}
    return by_id[known("section", section_id, by_id)]


def posture(name: str) -> Posture:
    """Find a posture by its name.

    :raises UnknownNameError: listing the names, with a guess at what was meant.
    """
    return Posture(known("posture", name, [posture.value for posture in Posture]))


def add_sections(app: App) -> list[Section]:
    """Make the stacks of the whole chapter in ``app``, or of what its context asks for.

    Context: ``posture`` (``lab`` by default), ``section`` (ids with commas between them; all by default), and the
    settings of each section.

    :raises UnknownNameError: for a section, a posture or a setting that does not exist.
    """
    chosen = posture(app.node.try_get_context("posture") or Posture.LAB.value)
    named = app.node.try_get_context("section")
    entries = [section(section_id) for section_id in named.split(",")] if named else SECTIONS
    stacks = [entry.stack(app, chosen) for entry in entries]
    settings = {"posture", "section"}.union(*(stack.settings for stack in stacks))
    for name in app.node.get_all_context():
        if name.isidentifier():  # the CDK's own have other characters in them: @aws-cdk/..., aws:cdk:...
            known("setting", name, sorted(settings))
    return stacks
