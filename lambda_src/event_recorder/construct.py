"""A table of the events that arrived, with the function and the HTTP endpoint that write it; for labs and for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from lambda_src.event_recorder import RUNTIME
from lambda_src.event_recorder.endpoint import RecordingEndpoint
from lambda_src.function.construct import PythonFunction
from lambda_src.posture import Posture
from lambda_src.queue import DeadLetterQueue
from lambda_src.table.construct import OnDemandTable

if TYPE_CHECKING:
    from aws_cdk.interfaces.aws_events import IRuleRef


class EventRecorder(Construct):
    """Shows what was delivered: a function and an HTTP endpoint that write every event they get into one table.

    ``recorder.target("OrderPlaced")`` is the function as a rule's target. ``recorder.endpoint.connection`` and
    ``recorder.endpoint.url`` are what an API destination needs to post to the endpoint, which refuses who lacks the
    connection's key.

    :param encryption_key: customer managed KMS key of the table, of the functions, of what they failed with, and of the
        API key, in a stack whose region is known; by default keys of AWS's.
    :param posture: whether the table survives its stack, and how long logs are kept. An item expires after 7 days.
    :param alarm_topic: told of errors, throttles and durations near the timeout, and of any dead letter.

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
        """Make the table, the function and the endpoint."""
        super().__init__(scope, construct_id)
        operation: dict[str, Any] = {
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
            encryption_key=encryption_key,
            posture=posture,
        )
        code: dict[str, Any] = {
            "runtime_code": RUNTIME,
            "environment": {"TABLE_NAME": self.table.table_name, "POWERTOOLS_SERVICE_NAME": "event-recorder"},
            "timeout": Duration.seconds(10),
        }
        #: Holds events that the function failed with three times.
        self.dead_letter_queue = DeadLetterQueue(
            self,
            "Failed",
            description="Events were delivered to the function, and it failed with them three times: read its logs.",
            **operation,
        )
        #: Records what rules invoke it with.
        self.function = PythonFunction(
            self, "Function", handler="handler.handler", dead_letter_queue=self.dead_letter_queue, **code, **operation
        )
        #: Records what is posted to it with its key: ``endpoint.function``, ``endpoint.url``, ``endpoint.connection``.
        self.endpoint = RecordingEndpoint(self, "Endpoint", handler="endpoint.handler", **code, **operation)
        for function in (self.function, self.endpoint.function):
            self.table.grants.actions(function, "dynamodb:PutItem")
            if encryption_key:
                encryption_key.grant(function, "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")

    def target(self, rule: str) -> targets.LambdaFunction:
        """Make the function a target that records events under the name ``rule``."""
        return targets.LambdaFunction(self.function, event=_WithRule(rule))

    def payload(self, rule: str) -> dict[str, Any]:
        """Say what a schedule gives to the function, for it to record under the name ``rule``."""
        return {"rule": rule, "event": {"source": "aws.scheduler", "detail-type": "Scheduled Event"}}


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
