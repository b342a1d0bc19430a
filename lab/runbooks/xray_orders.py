"""Orders for the X-Ray section's API: places them, and waits for the traces that they leave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from lab import traces
from lab.runbook import wait_for
from lab.target import TargetName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.deployment import Deployment
    from lab.xray.model import Segment, Trace

#: What an order can ask to go wrong, and the status that it is answered with then.
FAILURES = {"error": 400, "throttle": 429, "fault": 502}
#: Seconds within which a trace has arrived, or else something is wrong.
ARRIVES_SECONDS = 120
_HEADER = "X-Amzn-Trace-Id"
_WHOLE = {"AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function", "AWS::SNS"}


@dataclass(frozen=True)
class Answer:
    """What the API answered, and the trace that it belongs to."""

    status: int
    body: dict[str, Any]
    trace_id: str
    sampled: bool
    authorization: str


def ask(
    deployed: Deployment,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    headers: dict[str, str] | None = None,
    signed: bool = True,
) -> Answer:
    """Send a request to the API, signed unless it is to be refused."""
    session, content = deployed.target.session, json.dumps(body) if body else ""
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = AWSRequest(method, _url(deployed, path), data=content, headers=sent)
    credentials = session.get_credentials()
    if signed and credentials:
        SigV4Auth(credentials, "execute-api", session.region_name).add_auth(request)
    answer = urllib3.PoolManager(retries=False, timeout=30).request(
        method, _url(deployed, path), body=content, headers=dict(request.headers)
    )
    header = dict(part.split("=", 1) for part in answer.headers.get(_HEADER, "").split(";") if "=" in part)
    return Answer(
        answer.status,
        json.loads(answer.data or b"{}"),
        header.get("Root", ""),
        header.get("Sampled") == "1",
        request.headers.get("Authorization", ""),
    )


def _url(deployed: Deployment, path: str) -> str:
    if deployed.target.name is TargetName.AWS:
        return deployed.output("ApiUrl").rstrip("/") + path
    # AWS's host name leads to AWS.
    emulator = deployed.client("apigateway").meta.endpoint_url
    return f"{emulator}/restapis/{deployed.output('ApiId')}/{deployed.output('StageName')}/_user_request_{path}"


def place(deployed: Deployment, item: str = "book", **headers: str) -> Answer:
    """Place an order that goes well."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(deployed, "POST", "/orders", {"item": item, "quantity": 2}, headers=named)


def one_of_each(deployed: Deployment) -> dict[str, Answer]:
    """Send an order that goes well, and one for each failure."""
    failed = {kind: ask(deployed, "POST", "/orders", {"fail": kind}) for kind in FAILURES}
    return {"ok": place(deployed), **failed}


def whole(deployed: Deployment, trace_id: str) -> list[Trace]:
    """Wait for an order's trace, and for the one that is linked to it: what the queue's consumer did."""
    found: list[Trace] = []

    def complete() -> bool:
        consumers = [trace for trace in _consumers(deployed) if _is_linked(trace, trace_id)]
        found[:] = [*traces.get(deployed.client("xray"), [trace_id]), *consumers]
        origins = {label(segment) for trace in found for segment in trace.segments}
        return len(found) == 2 and origins >= _WHOLE and _has_call_of_database(found[1])

    arrived = wait_for(complete, seconds=ARRIVES_SECONDS)
    assert arrived, f"{trace_id} is not whole after {ARRIVES_SECONDS} s: there are {[trace.id for trace in found]}"
    return found


def _has_call_of_database(trace: Trace) -> bool:
    return any(part.name == "DynamoDB" and part.is_subsegment for part in trace.walk())


def _consumers(deployed: Deployment) -> list[Trace]:
    xray, store = deployed.client("xray"), deployed.output("StoreFunctionName")
    newest = traces.summaries(xray, seconds=300, expression=f'service("{store}")', limit=10)
    return traces.get(xray, [one.id for one in newest])


def _is_linked(trace: Trace, trace_id: str) -> bool:
    return any(link["trace_id"] == trace_id for part in trace.walk() for link in part.document.get("links", []))


def summaries(deployed: Deployment, answers: Iterable[Answer]) -> list[traces.Summary]:
    """Wait until the traces of these answers can be found, and are whole up to their stage."""
    wanted = {answer.trace_id for answer in answers}
    found: list[traces.Summary] = []

    def there() -> bool:
        newest = traces.summaries(deployed.client("xray"), seconds=300)
        found[:] = [one for one in newest if one.id in wanted and one.status is not None]
        return len(found) == len(wanted)

    assert wait_for(there, seconds=ARRIVES_SECONDS), f"{len(found)} of {len(wanted)} traces were found"
    return found


def wait_until_stored(deployed: Deployment, answer: Answer) -> None:
    """Wait until an order is in the table."""

    def stored() -> bool:
        pages = deployed.client("dynamodb").get_paginator("scan").paginate(TableName=deployed.output("TableName"))
        return any(answer.body["id"] in item["Body"]["S"] for page in pages for item in page["Items"])

    assert wait_for(stored, seconds=ARRIVES_SECONDS), f"the order {answer.body['id']} is not in the table"


def found(deployed: Deployment, answers: dict[str, Answer], expression: str) -> set[str]:
    """Say which of these answers' traces an expression finds."""
    found = {one.id for one in traces.summaries(deployed.client("xray"), seconds=300, expression=expression)}
    return {kind for kind, answer in answers.items() if answer.trace_id in found}


def label(part: Segment) -> str:
    """Tell a part of a trace by its type, or its name: of a topic the emulator and AWS write the type differently."""
    return "AWS::SNS" if part.origin.startswith("AWS::SNS") else part.origin or part.name
