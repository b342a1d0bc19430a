"""What GetTraceSummaries tells of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.isolation import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.xray.model import Segment, Trace

_HTTP = {
    "HttpURL": ("request", "url"),
    "HttpStatus": ("response", "status"),
    "HttpMethod": ("request", "method"),
    "UserAgent": ("request", "user_agent"),
    "ClientIp": ("request", "client_ip"),
}
_MOST_ANNOTATIONS = 50


def summary_of(trace: Trace) -> dict[str, Any]:
    """Summarize a trace.

    Source: https://docs.aws.amazon.com/xray/latest/api/API_TraceSummary.html
    """
    root = root_of(trace)
    parts = list(trace.walk())
    start, end = span_of(trace)
    arns = {arn: None for part in parts if (arn := part.document.get("resource_arn"))}
    return {
        "Id": trace.id,
        "StartTime": start,
        "Duration": round(end - start, 6),
        **({} if root is None or root.in_progress else {"ResponseTime": round(root.duration, 6)}),
        "HasFault": root is not None and root.flag("fault"),
        "HasError": root is not None and root.flag("error"),
        "HasThrottle": any(part.flag("throttle") for part in parts),
        "IsPartial": bool(trace.orphans) or any(part.in_progress for part in parts),
        "Http": _http(root) if root else {},
        "Annotations": _annotations(trace),
        "Users": _users(trace),
        "ServiceIds": _unique(service_id(segment) for segment in trace.segments),
        "ResourceARNs": [{"ARN": arn} for arn in arns],
        **({"EntryPoint": service_id(root)} if root else {}),
    }


def span_of(trace: Trace) -> tuple[float, float]:
    """Tell when a trace started, and when the last of it ended."""
    parts = list(trace.walk())
    return min(part.start_time for part in parts), max(part.end_time or part.start_time for part in parts)


def root_of(trace: Trace) -> Segment | None:
    """Find the segment that the request began with: the first that nothing called, or else the first."""
    uncalled = (segment for segment in trace.segments if segment.parent_id is None)
    return next(uncalled, trace.segments[0] if trace.segments else None)


def service_id(segment: Segment) -> dict[str, Any]:
    """Name the service that a segment is of."""
    account = (segment.document.get("aws") or {}).get("account_id", ACCOUNT)
    return {"Name": segment.name, "Names": [segment.name], "AccountId": account, **_type_of(segment)}


def _type_of(segment: Segment) -> dict[str, str]:
    kind = segment.origin or ("remote" if segment.document.get("inferred") else "")
    return {"Type": kind} if kind else {}


def _http(root: Segment) -> dict[str, Any]:
    found = {name: (root.http.get(side) or {}).get(field) for name, (side, field) in _HTTP.items()}
    return {name: value for name, value in found.items() if value is not None}


def _annotations(trace: Trace) -> dict[str, list[dict[str, Any]]]:
    """List every value of every annotation, with the services that it is of."""
    found: dict[str, list[dict[str, Any]]] = {}
    indexed = 0
    for services, part in _parts_with_services(trace):
        for name, value in part.annotations.items():
            typed = {_value_type(value): value}
            same = next((one for one in found.get(name, ()) if one["AnnotationValue"] == typed), None)
            if same:
                same["ServiceIds"] = _unique([*same["ServiceIds"], *services])
            elif indexed < _MOST_ANNOTATIONS:
                found.setdefault(name, []).append({"AnnotationValue": typed, "ServiceIds": services})
                indexed += 1
    return found


def _value_type(value: object) -> str:
    if isinstance(value, bool):
        return "BooleanValue"
    return "StringValue" if isinstance(value, str) else "NumberValue"


def _users(trace: Trace) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for services, part in _parts_with_services(trace):
        if part.document.get("user"):
            found.setdefault(part.document["user"], []).extend(services)
    return [{"UserName": user, "ServiceIds": _unique(services)} for user, services in found.items()]


def _parts_with_services(trace: Trace) -> Iterator[tuple[list[dict[str, Any]], Segment]]:
    """Yield every part with the service that it is of; of an orphan that is not known yet."""
    for segment in trace.segments:
        service = [service_id(segment)]
        for part in segment.walk():
            yield service, part
    for orphan in trace.orphans:
        for part in orphan.walk():
            yield [], part


def _unique(services: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({(one["Name"], one.get("Type")): one for one in services}.values())
