"""Answers AWS CloudFormation, which waits for an hour for a custom resource that says nothing."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: A longer answer fails, whatever it says.
_LARGEST_ANSWER = 4096


def answered(event: dict[str, Any], context: Any, work: Callable[[], object], *, physical_id: str) -> None:
    """Do the work, and tell CloudFormation that it is done, or by which exception it was not.

    :param event: CloudFormation's request.
    :param context: of the invocation, whose log the answer to a failure names.
    :param work: what the request asks for; its exceptions must have no secret in their messages.
    :param physical_id: the resource's name for life: with another one CloudFormation deletes the old resource.
    """
    try:
        work()
    except Exception as error:  # whatever it is, CloudFormation has to hear of it
        where = f". Log stream: {context.log_stream_name}"
        _send(event, _failure(event, f"{type(error).__name__}: {error}", where, physical_id))
    else:
        _send(event, _answer(event, "SUCCESS", "", physical_id))


def _failure(event: dict[str, Any], said: str, where: str, physical_id: str) -> bytes:
    """Say as much as CloudFormation takes; the log, which the answer names, has all of it.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
    """
    answer = _answer(event, "FAILED", said + where, physical_id)
    while said and len(answer) > _LARGEST_ANSWER:
        # A character has up to twelve bytes there: what is too long is cut, again if that was not enough.
        said = said[: -max(1, (len(answer) - _LARGEST_ANSWER) // 12)]
        answer = _answer(event, "FAILED", f"{said} ...{where}", physical_id)
    return answer


def _answer(event: dict[str, Any], status: str, reason: str, physical_id: str) -> bytes:
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    return json.dumps(body).encode()


def _send(event: dict[str, Any], answer: bytes) -> None:
    request = urllib.request.Request(event["ResponseURL"], answer, method="PUT")  # noqa: S310
    # The address is signed for a request without a content type.
    request.add_unredirected_header("Content-Type", "")
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - CloudFormation's own address
        pass
