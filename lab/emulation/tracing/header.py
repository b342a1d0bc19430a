"""The tracing header: which trace a request belongs to, and whether it is recorded."""

from __future__ import annotations

import re
import secrets
import time
from contextvars import ContextVar
from dataclasses import dataclass, replace

NAME = "X-Amzn-Trace-Id"
_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class TraceHeader:
    """What ``X-Amzn-Trace-Id`` and ``AWSTraceHeader`` say.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader

    :param root: the trace's id.
    :param parent: the segment that made the request; empty at the trace's beginning.
    :param sampled: whether the trace is recorded; nothing while nobody has decided.
    """

    root: str
    parent: str = ""
    sampled: bool | None = None

    def __str__(self) -> str:
        """Write it as it travels."""
        parts = [f"Root={self.root}"]
        if self.parent:
            parts.append(f"Parent={self.parent}")
        if self.sampled is not None:
            parts.append(f"Sampled={int(self.sampled)}")
        return ";".join(parts)

    def below(self, segment_id: str) -> TraceHeader:
        """Return the header of a request that this segment makes."""
        return replace(self, parent=segment_id)

    def decided(self, sampled: bool) -> TraceHeader:
        """Return the header with this decision."""
        return replace(self, sampled=sampled)


#: The header of the request that is being served; of every thread and task that serves it.
current: ContextVar[TraceHeader | None] = ContextVar("lab_trace_header", default=None)


def read(text: object) -> TraceHeader | None:
    """Read a header; one without a valid root counts as none, as for every service of AWS."""
    fields = dict(part.strip().split("=", 1) for part in str(text).split(";") if "=" in part)
    root, parent, sampled = fields.get("Root", ""), fields.get("Parent", ""), fields.get("Sampled")
    if not _ROOT.fullmatch(root):
        return None
    return TraceHeader(
        root,
        parent if _PARENT.fullmatch(parent) else "",
        {"0": False, "1": True}.get(sampled or ""),
    )


def new_trace() -> TraceHeader:
    """Begin a trace."""
    return TraceHeader(f"1-{int(time.time()):08x}-{secrets.token_hex(12)}")


def new_id() -> str:
    """Make the id of a segment."""
    return secrets.token_hex(8)
