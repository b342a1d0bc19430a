"""Follows calls of AWS by the events of botocore, and so of boto3: one subsegment each, retries included.

Not ``opentelemetry-instrumentation-botocore`` (0.66b2): it puts the trace among the attributes that a message has for
its sender's own purposes, ten at most, and not into ``AWSTraceHeader``; its header is without ``Lineage``; and where it
replaces methods of botocore's, there are documented events.

Source: https://docs.aws.amazon.com/boto3/latest/guide/events.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.trace import SpanKind

from .documents import ERROR_TYPE, EXCEPTION_MESSAGE, EXCEPTION_REMOTE, EXCEPTION_TYPE
from .harmless import harmless
from .header import HEADER
from .subsegment import Subsegment

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from opentelemetry.util.types import AttributeValue

    from .tracer import Tracer

# In the context that botocore gives to every event of a call.
_CALL = "tracing"
# Parameters that name the resource that is called; every other one is left alone.
_RESOURCES = {
    "Bucket": "aws.bucket_name",
    "FunctionName": "aws.function_name",
    "QueueUrl": "aws.queue_url",
    "StateMachineArn": "aws.state_machine_arn",
    "stateMachineArn": "aws.state_machine_arn",
    "TableName": "aws.table_name",
    "TargetArn": "aws.topic_arn",
    "TopicArn": "aws.topic_arn",
}


class _Emitter(Protocol):
    def register(self, event_name: str, handler: Any, unique_id: str | None = None) -> None: ...


def follow(tracer: Tracer, emitter: _Emitter) -> None:
    """Trace the calls of a client, or of all clients that a session makes from now on."""

    @harmless
    def begin(params: dict[str, Any], model: OperationModel, context: dict[str, Any], **_: object) -> None:
        if tracer.context() is None:
            return
        service = str(model.service_model.service_id)
        attributes = {
            "aws.operation": model.name,
            "aws.region": str(context.get("client_region")),
            **_resource(params),
        }
        call = context[_CALL] = Subsegment(tracer, service, kind=SpanKind.CLIENT, attributes=attributes)
        call.begin()
        if service == "SQS" and call.header:
            _send_along(call.header, model.name, params)

    for event, work in {
        "before-parameter-build": begin,
        "before-call": _add_header,
        "after-call": _answered,
        "after-call-error": _failed,
    }.items():
        emitter.register(event, work, unique_id=f"tracing.{event}")


@harmless
def _add_header(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    call: Subsegment | None = context.get(_CALL)
    if call and call.header:
        params["headers"][HEADER] = call.header


@harmless
def _answered(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    call: Subsegment | None = context.pop(_CALL, None)
    if call is None:
        return
    told, error = parsed["ResponseMetadata"], parsed.get("Error")
    call.set_attributes({"aws.retries": told.get("RetryAttempts", 0)})
    if "RequestId" in told:
        call.set_attributes({"aws.request_id": told["RequestId"]})
    call.set_response(told["HTTPStatusCode"])
    if error and told["HTTPStatusCode"] >= 300:
        code = str(error.get("Code"))
        call.set_attributes({ERROR_TYPE: code})
        call.add_exception(
            {EXCEPTION_TYPE: code, EXCEPTION_MESSAGE: str(error.get("Message", "")), EXCEPTION_REMOTE: True}
        )
    call.end()


@harmless
def _failed(exception: Exception, context: dict[str, Any], **_: object) -> None:
    call: Subsegment | None = context.pop(_CALL, None)
    if call:
        call.set_attributes({"aws.retries": context.get("retries", {}).get("attempt", 1) - 1})
        call.end(exception)


def _resource(params: dict[str, Any]) -> dict[str, AttributeValue]:
    named: dict[str, AttributeValue] = {
        attribute: str(params[parameter]) for parameter, attribute in _RESOURCES.items() if params.get(parameter)
    }
    tables = params.get("RequestItems")
    if isinstance(tables, dict):
        named |= {"aws.table_name": str(*tables)} if len(tables) == 1 else {"aws.table_names": [str(t) for t in tables]}
    return named


def _send_along(header: str, operation: str, params: dict[str, Any]) -> None:
    """Give messages the header as their system attribute, which outlives the call and reaches their consumer."""
    if operation == "SendMessage":
        params.update(_with_header(header, params))
    elif operation == "SendMessageBatch":
        params["Entries"] = [_with_header(header, entry) for entry in params["Entries"]]


def _with_header(header: str, message: dict[str, Any]) -> dict[str, Any]:
    attributes = {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}
    return message | {"MessageSystemAttributes": attributes | message.get("MessageSystemAttributes", {})}
