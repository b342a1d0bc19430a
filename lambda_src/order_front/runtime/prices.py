"""Says what things cost: stands in for a service outside, which an order's front asks over HTTP."""

from __future__ import annotations

import json
import zlib
from typing import Any

from tracing import tracer


@tracer.handler
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer ``GET ?item=book`` of a function URL: the same item costs the same every time."""
    item = (event.get("queryStringParameters") or {}).get("item")
    if not item:
        return {"statusCode": 400, "body": "Which item? ?item=..."}
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"cents": 100 + zlib.crc32(item.encode()) % 9_900}),
    }
