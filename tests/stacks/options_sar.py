"""The section's blocks with every option given, for the policies to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

from lambda_src.nested_application.construct import NestedApplication
from lambda_src.published_application.construct import PublishedApplication


def add(stack: cdk.Stack, operation: dict[str, Any]) -> None:
    """Add them to ``stack``."""
    application = cdk.Stack(PublishedApplication.workspace(stack), "Published")
    sqs.Queue(application, "Queue")
    PublishedApplication(
        stack,
        "Application",
        application=application,
        application_name="queue",
        semantic_version="2.0.0-beta.1",
        author="somebody",
        description="A queue.",
        spdx_license_id="MIT",
        license_file=Path(__file__).parents[2] / "LICENSE",
        readme_file=Path(__file__).parents[2] / "README.md",
        labels=["queue"],
        home_page_url="https://example.com",
        source_code_url="https://example.com/source",
        posture=operation["posture"],
    )
    NestedApplication(
        stack,
        "NestedApplication",
        application_id="arn:aws:serverlessrepo:us-east-1:111122223333:applications/queue",
        semantic_version="1.0.0",
        parameters={"Name": "orders"},
        timeout_minutes=10,
    )
