"""A published application as a part of a stack, pinned to a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Token
from aws_cdk import aws_sam as sam

from lambda_src.options import checked
from lambda_src.published_application.rules import is_application_id, is_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct


class NestedApplication(sam.CfnApplication):
    """An application of the AWS Serverless Application Repository, deployed as a stack inside this one.

    It stays at its version until this line says another one: the publisher's next version changes nothing here. Its
    capabilities are the deployment's to acknowledge; the CDK CLI does. An output of it is an attribute:
    ``nested.output("QueueUrl")``.

    :param application_id: the application's ARN.
    :param semantic_version: which version of it, such as ``1.0.0``.
    :param parameters: values for its parameters, by their names; by default their own defaults.
    :param timeout_minutes: how long its deployment may take, 1 or more; by default as long as it needs.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-application.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        application_id: str,
        semantic_version: str,
        parameters: Mapping[str, str] | None = None,
        timeout_minutes: int | None = None,
    ) -> None:
        """Check the options, then nest the application."""
        with checked(NestedApplication, scope, construct_id) as options:
            options.require(
                is_application_id(application_id),
                "application_id",
                application_id,
                "arn:aws:serverlessrepo:REGION:ACCOUNT:applications/NAME",
            )
            options.require(
                is_version(semantic_version),
                "semantic_version",
                semantic_version,
                "one semantic version, such as 1.0.0",
            )
            options.require(
                timeout_minutes is None or timeout_minutes >= 1, "timeout_minutes", timeout_minutes, "1 or more"
            )
        super().__init__(
            scope,
            construct_id,
            location=sam.CfnApplication.ApplicationLocationProperty(
                application_id=application_id, semantic_version=semantic_version
            ),
            parameters=dict(parameters) if parameters else None,
            timeout_in_minutes=timeout_minutes,
        )

    def output(self, name: str) -> str:
        """Refer to one of the application's outputs."""
        return Token.as_string(self.get_att(f"Outputs.{name}"))
