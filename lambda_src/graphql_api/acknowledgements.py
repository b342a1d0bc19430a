"""What a GraphQL API leaves out unless its options ask for it, and why that is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_appsync as appsync


def acknowledge_defaults(api: appsync.GraphqlApi, *, web_acl_arn: str | None) -> None:
    """Acknowledge what the policies would say of the API."""
    acknowledge(
        api,
        "AwsSolutions-ASC3",
        reason="Requests are logged, and what they ask and are answered is not: arguments and answers are other "
        "people's data, and a log keeps them for whoever may read logs. The tool asks for just these contents.",
    )
    if web_acl_arn is None:
        acknowledge(
            api,
            "CKV2_AWS_33",
            reason="No web_acl_arn was given: every request is signed by a principal of AWS or has the token of "
            "somebody who signed in, or else it is refused before anything of it is looked at.",
        )
