"""Traces as X-Ray's API tells of them, of AWS and of this machine alike."""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lab.errors import LabError, UsageError
from lab.xray.traces import assemble, document_of
from lambda_src.trace_group.filter_expression import FilterExpressionError, RootCauseError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.xray.model import Trace

# X-Ray answers for six hours at a time, and gives five whole traces at once.
_WINDOW = 6 * 3600
_BATCH = 5
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")


@dataclass(frozen=True)
class Summary:
    """What a list shows of a trace.

    :param flags: which of ``fault``, ``error``, ``throttle`` and ``partial`` it has.
    :param annotations: the values of each key.
    """

    id: str
    start: datetime
    name: str
    method: str
    url: str
    status: int | None
    response_time: float | None
    duration: float | None
    flags: tuple[str, ...]
    annotations: Mapping[str, Sequence[Any]]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Summary:
        """Take a ``TraceSummary`` of X-Ray's API."""
        http, flags = answer.get("Http") or {}, ("HasFault", "HasError", "HasThrottle", "IsPartial")
        return cls(
            id=answer["Id"],
            start=answer.get("StartTime") or datetime.fromtimestamp(int(answer["Id"][2:10], 16), tz=timezone.utc),
            name=(answer.get("EntryPoint") or {}).get("Name", ""),
            method=http.get("HttpMethod", ""),
            url=http.get("HttpURL", ""),
            status=http.get("HttpStatus"),
            response_time=answer.get("ResponseTime"),
            duration=answer.get("Duration"),
            flags=tuple(flag[3 if flag.startswith("Has") else 2 :].lower() for flag in flags if answer.get(flag)),
            annotations={
                key: [value for one in values for value in (one.get("AnnotationValue") or {}).values()]
                for key, values in (answer.get("Annotations") or {}).items()
            },
        )

    @property
    def time(self) -> str:
        """When it started, in UTC."""
        return self.start.astimezone(timezone.utc).isoformat(timespec="milliseconds")

    @property
    def request(self) -> str:
        """What was asked for: the method and the URL, or the service that was reached first."""
        return f"{self.method} {self.url}".strip() or self.name

    def as_json(self) -> dict[str, Any]:
        """Return what ``lab traces list --json`` prints for it."""
        return {**vars(self), "start": self.time}


def checked(expression: str | None, group: str | None) -> str | None:
    """Join a filter expression and the name of a group, if they are given.

    :raises UsageError: when the expression has a mistake.
    """
    conditions = [f'group.name = "{_escaped(group)}"'] if group is not None else []
    if expression is not None:
        try:
            parse(expression)
        except RootCauseError:
            pass  # X-Ray itself can evaluate it, and says so where it cannot.
        except FilterExpressionError as error:
            raise UsageError(f"--filter: {error}") from None
        conditions.append(f"({expression})" if conditions else expression)
    return " AND ".join(conditions) or None


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def require_group(xray: Any, name: str) -> None:
    """See to it that there is such a group.

    :raises UsageError: with the names of those that there are.
    """
    names = [group["GroupName"] for page in xray.get_paginator("get_groups").paginate() for group in page["Groups"]]
    if name not in names:
        known = f"The groups are: {', '.join(sorted(names))}." if names else "There are no groups."
        raise UsageError(f"There is no group {name}. {known}")


def summaries(xray: Any, *, seconds: int, expression: str | None = None, limit: int | None = None) -> list[Summary]:
    """List the newest traces of the last ``seconds``, the newest first."""
    found: dict[str, Summary] = {}
    condition = {"FilterExpression": expression} if expression else {}
    for window in windows(seconds):
        for page in xray.get_paginator("get_trace_summaries").paginate(**window, **condition):
            found.update({answer["Id"]: Summary.of(answer) for answer in page["TraceSummaries"]})
        if limit is not None and len(found) >= limit:
            break
    return sorted(found.values(), key=lambda one: (one.start, one.id), reverse=True)[:limit]


def windows(seconds: int) -> Iterator[dict[str, int]]:
    """Divide the last ``seconds`` into times that X-Ray answers for, the newest first."""
    # The API takes whole seconds, and the one that has just begun counts.
    now = math.ceil(time.time())
    for end in range(now, now - seconds, -_WINDOW):
        yield {"StartTime": max(end - _WINDOW, now - seconds), "EndTime": end}


def find(xray: Any, beginning: str, *, seconds: int) -> Trace:
    """Get the trace whose id begins so; one that is not written in full has to be of the last ``seconds``.

    :raises LabError: when there is none.
    :raises UsageError: when there are several.
    """
    beginning = beginning.lower()
    trace_id = beginning if _TRACE_ID.fullmatch(beginning) else _completed(xray, beginning, seconds)
    for trace in get(xray, [trace_id]):
        return trace
    raise LabError(f"There is no trace {trace_id}: `lab traces list` shows those that there are.")


def _completed(xray: Any, beginning: str, seconds: int) -> str:
    ids = [one.id for one in summaries(xray, seconds=seconds) if one.id.startswith(beginning)]
    if not ids:
        raise LabError(f"No trace begins with {beginning}: `lab traces list` shows those that there are.")
    if len(ids) > 1:
        more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
        raise UsageError(f"{len(ids)} traces begin with {beginning}: {', '.join(ids[:5])}{more}. Write more of the id.")
    return ids[0]


def get(xray: Any, trace_ids: Sequence[str]) -> list[Trace]:
    """Get whole traces, those that there are, in the order in which they were asked for."""
    documents = defaultdict[str, list[str]](list)
    for start in range(0, len(trace_ids), _BATCH):
        for page in xray.get_paginator("batch_get_traces").paginate(TraceIds=trace_ids[start : start + _BATCH]):
            for trace in page["Traces"]:
                documents[trace["Id"]].extend(segment["Document"] for segment in trace["Segments"])
    return [assemble(trace_id, documents[trace_id]) for trace_id in trace_ids if documents.get(trace_id)]


def linked(xray: Any, trace: Trace, *, limit: int) -> tuple[list[Trace], int]:
    """Follow a trace's links, and theirs, as a queue's consumer has them to its senders.

    :return: ``limit`` traces at the most, and the number of links that were not followed then.
    """
    followed: list[Trace] = []
    seen, waiting = {trace.id}, _links(trace)
    while fresh := [trace_id for trace_id in waiting if trace_id not in seen]:
        room = limit - len(followed)
        if room <= 0:
            return followed, len(fresh)
        here = get(xray, fresh[:room])
        seen.update(fresh[:room])
        followed += here
        waiting = [*fresh[room:], *dict.fromkeys(link for one in here for link in _links(one))]
    return followed, 0


def as_json(trace: Trace) -> dict[str, Any]:
    """Return what ``lab traces show --json`` prints for a trace."""
    return {"id": trace.id, "segments": [document_of(part) for part in (*trace.segments, *trace.orphans)]}


def _links(trace: Trace) -> list[str]:
    links = (link["trace_id"] for part in trace.walk() for link in part.document.get("links") or ())
    return list(dict.fromkeys(links))
