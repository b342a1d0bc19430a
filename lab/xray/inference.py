"""What a call tells of the service that was called, when that sent no segment of its own."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from lab.xray.model import Segment

_TOLD_BY_THE_CALL = ("http", "aws", "sql", "error", "throttle", "fault")


def inferred_segments(call: Segment) -> list[Segment]:
    """Make the segments that the called services could have sent: one for each table of a call for several tables.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-http

    :param call: a subsegment with the namespace ``aws`` or ``remote``.
    """
    return [_segment(call, resource) for resource in _resources(call)]


class _Resource(NamedTuple):
    name: str
    origin: str


def _segment(call: Segment, resource: _Resource) -> Segment:
    end: dict[str, Any] = {"in_progress": True} if call.in_progress else {"end_time": call.end_time}
    document = {
        "id": sha256(f"{call.trace_id}/{call.id}/{resource.name}".encode()).hexdigest()[:16],
        "name": resource.name,
        "trace_id": call.trace_id,
        "start_time": call.start_time,
        **end,
        "parent_id": call.id,
        "inferred": True,
        **{field: call.document[field] for field in _TOLD_BY_THE_CALL if field in call.document},
        **({"origin": resource.origin} if resource.origin else {}),
    }
    return Segment(document["id"], call.trace_id, resource.name, call.start_time, call.end_time, call.id, document)


def _resources(call: Segment) -> list[_Resource]:
    """Name what was called, and its type: of many AWS services no more than the service is known."""
    if call.namespace == "remote":
        return [_Resource(call.name, "Database::SQL" if "sql" in call.document else "")]
    aws = call.document.get("aws") or {}
    if aws.get("table_names"):
        return [_Resource(_own_name(table), "AWS::DynamoDB::Table") for table in dict.fromkeys(aws["table_names"])]
    for field, origin in _ORIGINS.items():
        if aws.get(field):
            return [_Resource(_own_name(aws[field]), origin)]
    return [_Resource(call.name, f"AWS::{call.name}")]


def _own_name(text: str) -> str:
    """Name a resource as its own segments do, where a call has its ARN: of a function without version or alias."""
    if not text.startswith("arn:"):
        return text
    resource = text.split(":", 5)[5]
    kind, _, name = resource.partition(":")
    return name.partition(":")[0] if kind == "function" else resource.rpartition("/")[2]


# Of a topic X-Ray infers no more than SNS, as AWS's example of a trace shows; one with active tracing tells of itself.
_ORIGINS = {
    "table_name": "AWS::DynamoDB::Table",
    "queue_url": "AWS::SQS::Queue",
    "function_name": "AWS::Lambda",
    "bucket_name": "AWS::S3::Bucket",
}
