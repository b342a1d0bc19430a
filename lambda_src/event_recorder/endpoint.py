"""An HTTP endpoint that records the events which an API destination posts to it, and lets nobody else in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from lambda_src.acknowledged import acknowledge
from lambda_src.function.construct import PythonFunction
from lambda_src.generated_secret import GeneratedSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER = "x-api-key"


class RecordingEndpoint(Construct):
    """A function behind a Function URL, an API key, and the connection that gives the key to it.

    :param environment: of the function; the ARN of the key's secret is added.
    :param function: the other options of the function.
    :param encryption_key: customer managed KMS key of the secret; by default a key of AWS's.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Mapping[str, str],
        encryption_key: kms.IKey | None,
        **function: Any,
    ) -> None:
        """Make the API key, the function, its URL and the connection."""
        super().__init__(scope, construct_id)
        #: What callers have to give as ``x-api-key``.
        self.api_key: secretsmanager.Secret = self._api_key(encryption_key)
        #: Records what is posted to it.
        self.function = PythonFunction(
            self,
            "Function",
            environment={**environment, "API_KEY_SECRET": self.api_key.secret_arn},
            encryption_key=encryption_key,
            **function,
        )
        self.api_key.grant_read(self.function)
        #: Where it is.
        self.url: str = self._url()
        #: Gives the key to the endpoint, for an API destination.
        self.connection: events.Connection = events.Connection(
            self, "Connection", authorization=events.Authorization.api_key(_HEADER, self.api_key.secret_value)
        )

    def _api_key(self, encryption_key: kms.IKey | None) -> secretsmanager.Secret:
        return GeneratedSecret(
            self,
            "ApiKey",
            description=f"What callers of the endpoint have to give as {_HEADER}.",
            not_rotated="EventBridge's connection takes the key over when it is deployed, and does not hear of a "
            "rotation: a rotation between two deployments would lock it out. To deploy another secret rotates both.",
            encryption_key=encryption_key,
        )

    def _url(self) -> str:
        url = self.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
        reason = (
            "An API destination cannot sign its requests for IAM. The function refuses every request without the API "
            "key before it looks at anything else of it, and may do nothing but put items into one table."
        )
        acknowledge(url, "CKV_AWS_258", reason=reason)
        acknowledge(
            self.function,
            "NIST.800.53.R5-LambdaFunctionPublicAccessProhibited",
            "HIPAA.Security-LambdaFunctionPublicAccessProhibited",
            "PCI.DSS.321-LambdaFunctionPublicAccessProhibited",
            reason=reason,
        )
        return url.url
