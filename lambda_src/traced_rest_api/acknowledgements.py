"""What a traced REST API leaves out unless its options ask for it, and why that is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_apigateway as apigateway


def acknowledge_defaults(api: apigateway.RestApi, *, web_acl_arn: str | None) -> None:
    """Acknowledge what the policies would say of the API, of its stage, and of its methods."""
    acknowledge(
        api,
        "AwsSolutions-COG4",
        reason="Callers are principals of AWS and sign their requests: IAM authorizes every method. A user pool of "
        "Amazon Cognito is for people who sign in.",
    )
    if web_acl_arn is None:
        acknowledge(
            api.deployment_stage,
            "AwsSolutions-APIG3",
            "NIST.800.53.R5-APIGWAssociatedWithWAF",
            "PCI.DSS.321-APIGWAssociatedWithWAF",
            reason="No web_acl_arn was given: IAM refuses every request that is not signed by somebody who was granted "
            "the call, before anything of it is looked at, and the stage is throttled.",
        )
    acknowledge(
        api.deployment_stage,
        "CKV_AWS_120",
        "NIST.800.53.R5-APIGWCacheEnabledAndEncrypted",
        "HIPAA.Security-APIGWCacheEnabledAndEncrypted",
        "PCI.DSS.321-APIGWCacheEnabledAndEncrypted",
        reason="There is no cache: every answer is made for one request, and a cache would hold data of one caller "
        "where another might be given it, at 0.02 USD an hour or more.",
    )
    acknowledge(
        api.deployment_stage,
        "NIST.800.53.R5-APIGWSSLEnabled",
        "HIPAA.Security-APIGWSSLEnabled",
        "PCI.DSS.321-APIGWSSLEnabled",
        reason="A client certificate tells an HTTP backend that a request came through API Gateway. The backends here "
        "are functions, which nobody but API Gateway is permitted to invoke for this API.",
    )
