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
        id="fargate",
        stack_id="Fargate",
        heading="Removing Servers with Fargate",
        shows="a container image as a service of two tasks on Fargate, behind a load balancer that speaks HTTPS",
        variants={
            "https": {
                "certificate_arn": "arn:aws:acm:us-east-1:111122223333:certificate/shop",
                "domain_name": "www.example.com",
                "deployment": "canary",
                "execute_command": "enabled",
                "spot_percent": "50",
            },
            "zone": {
                "zone_id": "Z0123456789ABCDEFGHIJ",
                "zone_name": "example.com",
                "vpc_id": "vpc-0123456789abcdef0",
                "public_subnets": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
                "private_subnets": "subnet-0123456789abcdef2,subnet-0123456789abcdef3",
                "web_acl_arn": "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1",
                "deployment": "blue-green",
                "tracing": "sidecar",
            },
        },
    ),
    CatalogEntry(
        id="ecs-anywhere",
        stack_id="EcsAnywhere",
        heading="Orchestrating Containers Outside AWS Using Amazon ECS Anywhere",
        shows="cluster, role and service for hosts outside AWS; their registration, and what tells that one is gone",
    ),
    CatalogEntry(
        id="eks",
        stack_id="Eks",
        heading="Running Containers in ECS or EKS",
        shows="a private Kubernetes cluster with a Fargate profile, and the web image as a workload for it",
        variants={
            "auto-mode": {
                "compute": "auto-mode",
                "administrators": "arn:aws:iam::111122223333:role/Admin",
                "public_access_from": "203.0.113.0/24",
                "extended_support": "paid",
            },
            "hybrid": {
                "remote_node_networks": "10.80.0.0/16",
                "remote_pod_networks": "10.81.0.0/16",
                # No page of AWS lists them: what public descriptions of 1.35 clusters have, not held against AWS.
                "metrics_server": "v0.8.1-eksbuild.5",
            },
        },
    ),
    CatalogEntry(
        id="eks-anywhere",
        stack_id="EksAnywhere",
        heading="Orchestrating Containers Outside AWS Using Amazon EKS Anywhere and Amazon ECS Anywhere",
        shows="cluster specifications, their validation and upgrade plans, EKS Distro releases, EKS Connector",
        variants={"packages": {"packages_region": "us-west-2", "clusters": "factory,warehouse"}},
    ),
    CatalogEntry(
        id="aurora",
        stack_id="Aurora",
        heading="Auto Scaling Databases On Demand with Amazon Aurora Serverless",
        shows="Aurora cluster that scales from nothing, Data API, instances swapped while it runs",
        variants={"provisioned": {"instances": "provisioned"}, "mixed": {"preset": "mixed"}},
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
        id="appsync",
        stack_id="AppSync",
        heading="Deploying GraphQL Interfaces in AWS AppSync",
        shows="one graph over a table, a function, a database and an event bus; checked schema, JavaScript resolvers",
    ),
    CatalogEntry(
        id="sar",
        stack_id="Sar",
        heading="AWS Serverless Application Repository",
        shows="Lab 15.1 as an application to publish, share and deploy: SAM template, bucket for its code",
        variants={
            "nested": {
                # What `lab sar publish` publishes on the emulator.
                "nested_application": "arn:aws:serverlessrepo:us-east-1:000000000000:applications/"
                "serverless-lab-sqs-lambda",
                "nested_version": "1.0.0",
            }
        },
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
