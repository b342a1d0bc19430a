"""Topics, queues and buses: the header goes with every message, and the time that messages spend on the way is seen.

A topic with active tracing makes a segment, with a subsegment for each delivery, when the publisher's header says that
the trace is recorded; any topic hands the header on. SQS keeps a sender's header as the message's ``AWSTraceHeader``,
unless the sender set that attribute itself.

A batch holds messages of several traces, so a function that is invoked with one starts a trace of its own, with a link
to each of the senders'. It is recorded when one of theirs is. The time in the queue is a segment in the sender's
trace, from sending to the first receipt: AWS shows it as the age of received events on the edge from the queue to the
function.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html,
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html,
https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.services import eventbridge, lambda_svc, sns, sqs

from lab.emulation.tracing import functions, header, segments
from lab.emulation.tracing.hooks import never_fails, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulation.tracing.header import TraceHeader

_ATTRIBUTE = "AWSTraceHeader"
_MOST_LINKS = 20


@dataclass(frozen=True)
class _Publication:
    """A message that a topic with active tracing hands to its subscribers."""

    inbound: TraceHeader
    topic_arn: str
    id: str = field(default_factory=header.new_id)


_publishing: ContextVar[_Publication | None] = ContextVar("lab_publication", default=None)
#: The header for the messages that a topic or a bus is putting into a queue; of no other message.
_delivering: ContextVar[TraceHeader | None] = ContextVar("lab_delivered_header", default=None)


def extend() -> None:
    """Have messages carry the header, and topics and queues trace."""
    wrap(sqs, "_build_send_sys_attrs", _keep_senders_header)
    wrap(sqs, "_ensure_msg_fields", _keep_delivered_header)
    wrap(sns, "_fanout", _fan_out)
    wrap(sns, "_deliver_to_sqs", lambda deliver, *args, **kwargs: _deliver("SQS", deliver, *args, **kwargs))
    wrap(sns, "_deliver_to_lambda", lambda deliver, *args, **kwargs: _deliver("Lambda", deliver, *args, **kwargs))
    wrap(eventbridge, "_dispatch_to_sqs", _with_header_for_queue)
    wrap(lambda_svc, "_run_sqs_batch", _run_batch)


def _keep_senders_header(build: Callable[..., dict[str, str]], now: float, given: Any) -> dict[str, str]:
    """Keep the header of the request, for each of its messages that has none of its own."""
    attributes, inbound = build(now, given), header.current.get()
    return {**({_ATTRIBUTE: str(inbound)} if inbound else {}), **attributes}


def _keep_delivered_header(fill: Callable[..., None], message: dict[str, Any]) -> None:
    fill(message)
    delivered = _delivering.get()
    if delivered:
        message["sys"][_ATTRIBUTE] = str(delivered)


def _with_header_for_queue(put: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    token = _delivering.set(header.current.get())
    try:
        return put(*arguments, **options)
    finally:
        _delivering.reset(token)


def _fan_out(fan_out: Callable[..., Any], topic_arn: str, *arguments: Any, **options: Any) -> Any:
    inbound, topic = header.current.get(), sns._topic_by_arn_any_scope(topic_arn)
    active = topic is not None and topic["attributes"].get("TracingConfig") == "Active"
    if not (inbound and inbound.sampled and active):
        return fan_out(topic_arn, *arguments, **options)
    publication, start = _Publication(inbound, topic_arn), time.time()
    token = _publishing.set(publication)
    try:
        return fan_out(topic_arn, *arguments, **options)
    finally:
        _publishing.reset(token)
        _record_publication(publication, start)


@never_fails
def _record_publication(publication: _Publication, start: float) -> None:
    arn = publication.topic_arn
    segments.send(
        segments.segment(
            publication.inbound,
            arn.rsplit(":", 1)[-1],
            "AWS::SNS",
            start,
            time.time(),
            id=publication.id,
            resource_arn=arn,
            aws={"operation": "Publish", "topic_arn": arn, "resource_names": [arn]},
        )
    )


def _deliver(service: str, deliver: Callable[..., Any], endpoint: str, *arguments: Any, **options: Any) -> Any:
    """Deliver to one subscriber, below a subsegment if the topic makes a segment."""
    publication = _publishing.get()
    if publication is None:
        return _with_header_for_queue(deliver, endpoint, *arguments, **options)
    subsegment_id, start = header.new_id(), time.time()
    token = header.current.set(publication.inbound.below(subsegment_id))
    try:
        return _with_header_for_queue(deliver, endpoint, *arguments, **options)
    finally:
        header.current.reset(token)
        _record_delivery(publication, subsegment_id, service, endpoint, start)


@never_fails
def _record_delivery(publication: _Publication, subsegment_id: str, service: str, endpoint: str, start: float) -> None:
    fields = {"id": subsegment_id, "namespace": "aws", "aws": _of_endpoint(service, endpoint)}
    delivery = segments.subsegment(service, start, time.time(), **fields)
    segments.send_below(publication.inbound.below(publication.id), delivery)


def _of_endpoint(service: str, arn: str) -> dict[str, Any]:
    """Name what a delivery calls, as the AWS SDKs' subsegments do: a queue by its URL."""
    if service == "SQS":
        queue = sqs._queue_by_arn(arn)
        called = {"operation": "SendMessage", "queue_url": queue["url"] if queue else ""}
    else:
        called = {"operation": "Invoke", "function_name": arn.split(":")[6]}
    return {**called, "resource_names": [arn]}


def _run_batch(run: Callable[..., Any], esm: Any, func: Any, event: Any, batch: Any, *queue: str) -> Any:
    senders = _senders(event["Records"])
    recorded = {message_id: sender for message_id, sender in senders.items() if sender.sampled}
    inbound = header.new_trace()
    if senders:
        inbound = inbound.decided(bool(recorded))
    _record_time_in_queue(event["Records"], recorded, queue[0])
    link_token = functions.links.set(_links(recorded))
    header_token = header.current.set(inbound)
    try:
        return run(esm, func, event, batch, *queue)
    finally:
        functions.links.reset(link_token)
        header.current.reset(header_token)


def _senders(records: list[dict[str, Any]]) -> dict[str, TraceHeader]:
    """Read the header of each message that has one."""
    headers = {one["messageId"]: header.read(one["attributes"].get(_ATTRIBUTE)) for one in records}
    return {message_id: sender for message_id, sender in headers.items() if sender}


def _links(senders: dict[str, TraceHeader]) -> list[dict[str, Any]]:
    """Name the senders' traces and calls, each trace once, and no more of them than a segment can link to."""
    sent = {sender.root: sender.parent for sender in senders.values() if sender.parent}
    kind = {"aws.xray.reserved.reference_type": "parent"}
    return [{"trace_id": root, "id": parent, "attributes": kind} for root, parent in sent.items()][:_MOST_LINKS]


@never_fails
def _record_time_in_queue(records: list[dict[str, Any]], senders: dict[str, TraceHeader], url: str) -> None:
    for record in records:
        attributes, message_id, arn = record["attributes"], record["messageId"], record["eventSourceARN"]
        if message_id in senders and attributes["ApproximateReceiveCount"] == "1":
            segments.send(
                segments.segment(
                    senders[message_id],
                    url,
                    "AWS::SQS::Queue",
                    int(attributes["SentTimestamp"]) / 1000,
                    int(attributes["ApproximateFirstReceiveTimestamp"]) / 1000,
                    resource_arn=arn,
                    aws={"message_id": message_id, "queue_url": url, "resource_names": [arn]},
                )
            )
