"""A table of the events that arrived, with the function and the HTTP endpoint that write it; for labs and for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_src.acknowledged import acknowledge
from lambda_src.event_recorder import RUNTIME
from lambda_src.function.construct import PythonFunction
from lambda_src.posture import Posture
from lambda_src.queue import DeadLetterQueue, let_send
from lambda_src.table.construct import OnDemandTable

if TYPE_CHECKING:
    from aws_cdk.interfaces.aws_events import IRuleRef


class EventRecorder(Construct):
    """Shows what was delivered: a function and an HTTP endpoint that write every event they get into one table.

    ``recorder.target("OrderPlaced")`` is the function as a rule's target. ``recorder.connection`` and
    ``recorder.url`` are what an API destination to the endpoint needs; who has not the key is refused.

    :param encryption_key: customer managed KMS key of functions and of the API key; by default keys of AWS's.
    :param posture: whether the table survives its stack, and how long logs are kept. An item expires after 7 days.
    :param alarm_topic: told of errors, throttles and durations near the timeout.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Make the table, the two functions, the API key and the connection that has it."""
        super().__init__(scope, construct_id)
        self._operation: dict[str, Any] = {
            "encryption_key": encryption_key,
            "posture": posture,
            "alarm_topic": alarm_topic,
        }
        #: Its key: ``EventId``, and ``Rule``, by which the event came; beside them what the event says.
        self.table = OnDemandTable(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="EventId", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="Rule", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="ExpiresAt",
            posture=posture,
        )
        #: What the endpoint's callers have to give as ``x-api-key``.
        self.api_key: secretsmanager.Secret = self._api_key(encryption_key)
        #: Holds events that the function failed with three times.
        self.dead_letter_queue = DeadLetterQueue(
            self,
            "Failed",
            description="Events were delivered to the function, and it failed with them three times: read its logs.",
            **self._operation,
        )
        #: Records what rules invoke it with.
        self.function: PythonFunction = self._function("Function", "handler.handler", self.dead_letter_queue)
        #: Records what is posted to it.
        self.endpoint: PythonFunction = self._function(
            "Endpoint", "endpoint.handler", None, API_KEY_SECRET=self.api_key.secret_arn
        )
        self.api_key.grant_read(self.endpoint)
        let_send(self.function, self.dead_letter_queue)  # of the queue's key, the CDK does not think
        #: Where the endpoint is.
        self.url: str = self._url()
        #: Gives the key to the endpoint, for an API destination.
        self.connection: events.Connection = events.Connection(
            self, "Connection", authorization=events.Authorization.api_key("x-api-key", self.api_key.secret_value)
        )

    def target(self, rule: str) -> targets.LambdaFunction:
        """Make the function a target that records events under the name ``rule``."""
        return targets.LambdaFunction(self.function, event=_WithRule(rule))

    def _function(
        self, construct_id: str, handler: str, dead_letter_queue: sqs.IQueue | None, **environment: str
    ) -> PythonFunction:
        function = PythonFunction(
            self,
            construct_id,
            runtime_code=RUNTIME,
            handler=handler,
            environment={
                "TABLE_NAME": self.table.table_name,
                "POWERTOOLS_SERVICE_NAME": "event-recorder",
                **environment,
            },
            timeout=Duration.seconds(10),
            dead_letter_queue=dead_letter_queue,
            **self._operation,
        )
        self.table.grants.actions(function, "dynamodb:PutItem")
        return function

    def _api_key(self, encryption_key: kms.IKey | None) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "ApiKey",
            description="What callers of the endpoint have to give as x-api-key.",
            encryption_key=encryption_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=48, exclude_punctuation=True),
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "NIST.800.53.R5-SecretsManagerRotationEnabled",
            "HIPAA.Security-SecretsManagerRotationEnabled",
            reason="EventBridge's connection takes the key over when it is deployed, and does not hear of a rotation: "
            "a rotation between two deployments would lock it out. To deploy another secret rotates both.",
        )
        if encryption_key is None:
            acknowledge(
                secret,
                "CKV_AWS_149",
                "NIST.800.53.R5-SecretsManagerUsingKMSKey",
                "HIPAA.Security-SecretsManagerUsingKMSKey",
                "PCI.DSS.321-SecretsManagerUsingKMSKey",
                reason="No encryption_key was given: AWS Secrets Manager encrypts with its own key of the account, "
                "and who may read the key to one endpoint that records events is a matter of IAM.",
            )
        return secret

    def _url(self) -> str:
        url = self.endpoint.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
        reason = (
            "An API destination cannot sign its requests for IAM. The function refuses every request without the API "
            "key before it looks at anything else of it, and may do nothing but put items into one table."
        )
        acknowledge(url, "CKV_AWS_258", reason=reason)
        acknowledge(
            self.endpoint,
            "NIST.800.53.R5-LambdaFunctionPublicAccessProhibited",
            "HIPAA.Security-LambdaFunctionPublicAccessProhibited",
            "PCI.DSS.321-LambdaFunctionPublicAccessProhibited",
            reason=reason,
        )
        return url.url


class _WithRule(events.RuleTargetInput):
    """The whole event, and the name of the rule that it came by."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self._rule = rule

    def bind(self, rule: IRuleRef) -> events.RuleTargetInputProperties:  # noqa: ARG002 - the CDK's interface
        # EventBridge puts the event in where its variable stands, so this is no JSON yet.
        return events.RuleTargetInputProperties(
            input_template=f'{{"rule": {json.dumps(self._rule)}, "event": <aws.events.event.json>}}'
        )
