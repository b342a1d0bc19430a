"""What a call tells of the service that was called, when that sent no segment of its own."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from lab.xray.model import Segment

_TOLD_BY_THE_CALL = ("http", "aws", "sql", "error", "throttle", "fault")


def inferred_segment(call: Segment) -> Segment:
    """Make the segment that the called service could have sent.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-http

    :param call: a subsegment with the namespace ``aws`` or ``remote``.
    """
    name, origin = _resource(call)
    end: dict[str, Any] = {"in_progress": True} if call.in_progress else {"end_time": call.end_time}
    document = {
        "id": sha256(f"{call.trace_id}/{call.id}".encode()).hexdigest()[:16],
        "name": name,
        "trace_id": call.trace_id,
        "start_time": call.start_time,
        **end,
        "parent_id": call.id,
        "inferred": True,
        **{field: call.document[field] for field in _TOLD_BY_THE_CALL if field in call.document},
        **({"origin": origin} if origin else {}),
    }
    return Segment(document["id"], call.trace_id, name, call.start_time, call.end_time, call.id, document)


def _resource(call: Segment) -> tuple[str, str]:
    """Name the resource that was called, and its type: of most AWS services no more than the service is known."""
    if call.namespace == "remote":
        return call.name, "Database::SQL" if "sql" in call.document else ""
    aws = call.document.get("aws") or {}
    for field, origin in _RESOURCES.items():
        if aws.get(field):
            return aws[field], origin
    return call.name, f"AWS::{call.name}"


_RESOURCES = {
    "table_name": "AWS::DynamoDB::Table",
    "queue_url": "AWS::SQS::Queue",
    "function_name": "AWS::Lambda",
}
