"""Answers AWS CloudFormation, which waits for an hour for a custom resource that says nothing."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


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
        reason = f"{type(error).__name__}: {error}. Log stream: {context.log_stream_name}"
        _answer(event, "FAILED", reason, physical_id)
    else:
        _answer(event, "SUCCESS", "", physical_id)


def _answer(event: dict[str, Any], status: str, reason: str, physical_id: str) -> None:
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT")  # noqa: S310
    # The address is signed for a request without a content type.
    request.add_unredirected_header("Content-Type", "")
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - CloudFormation's own address
        pass
