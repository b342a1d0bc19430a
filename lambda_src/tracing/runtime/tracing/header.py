"""Reads and writes the header ``X-Amzn-Trace-Id``, in which a trace goes from one service to the next.

Not ``opentelemetry-propagator-aws-xray`` (1.0.2): it leaves out ``Lineage``, in which AWS Lambda counts how often a
chain of functions has called itself, so that every loop through a traced function would go on for ever.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import re

from opentelemetry.trace import SpanContext, TraceFlags, TraceState

HEADER = "X-Amzn-Trace-Id"

_ROOT = re.compile(r"1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})")
_PARENT = re.compile(r"[0-9a-fA-F]{16}")
# What of it a span's state can carry.
_LINEAGE = re.compile(r"[\w:|.-]{1,255}", re.ASCII)


def read_header(header: object) -> SpanContext | None:
    """Read where a trace goes on; ``None`` where the header has no trace with a parent, as when nobody decided."""
    parts = (part.partition("=") for part in str(header).split(";"))
    fields = {name.strip(): value.strip() for name, _, value in parts}
    root, parent = _ROOT.fullmatch(fields.get("Root", "")), _PARENT.fullmatch(fields.get("Parent", ""))
    if not (root and parent):
        return None
    lineage = fields.get("Lineage", "")
    context = SpanContext(
        trace_id=int(root[1] + root[2], 16),
        span_id=int(parent[0], 16),
        is_remote=True,
        trace_flags=TraceFlags(fields.get("Sampled") == "1"),
        trace_state=TraceState([("lineage", lineage)] if _LINEAGE.fullmatch(lineage) else None),
    )
    return context if context.is_valid else None


def write_header(context: SpanContext) -> str:
    """Write the header with which a call goes on from this span."""
    fields = {
        "Root": trace_id(context),
        "Parent": segment_id(context),
        "Sampled": "1" if context.trace_flags.sampled else "0",
        "Lineage": context.trace_state.get("lineage"),
    }
    return ";".join(f"{name}={value}" for name, value in fields.items() if value)


def trace_id(context: SpanContext) -> str:
    """Write a trace's identifier as X-Ray does."""
    digits = f"{context.trace_id:032x}"
    return f"1-{digits[:8]}-{digits[8:]}"


def segment_id(context: SpanContext) -> str:
    """Write a span's identifier as X-Ray does."""
    return f"{context.span_id:016x}"
