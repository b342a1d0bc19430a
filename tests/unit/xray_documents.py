"""Segment documents for tests: AWS's published ones, and short ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TRACE_ID = "1-5759e988-bd862e3fe1be46a994272793"
START = 1_461_096_053.0


def published(name: str) -> Any:
    """Read one of the documents of AWS's developer guide."""
    return json.loads((Path(__file__).with_name("segment_documents") / f"{name}.json").read_text())


def segment(number: int, start: float = 0, end: float | None = 1, **fields: Any) -> dict[str, Any]:
    """Make a segment that starts and ends so many seconds after the trace; in progress without an end."""
    ended = {"in_progress": True} if end is None else {"end_time": START + end}
    return {
        "name": f"service-{number}",
        "id": f"{number:016x}",
        "trace_id": TRACE_ID,
        "start_time": START + start,
        **ended,
        **fields,
    }


def embedded(number: int, start: float = 0, end: float | None = 1, **fields: Any) -> dict[str, Any]:
    """Make a subsegment as it stands inside of its segment."""
    return {name: value for name, value in segment(number, start, end, **fields).items() if name != "trace_id"}


def apart(number: int, parent: int, start: float = 0, end: float | None = 1, **fields: Any) -> dict[str, Any]:
    """Make a subsegment that is sent apart from its segment."""
    return segment(number, start, end, type="subsegment", parent_id=f"{parent:016x}", **fields)
