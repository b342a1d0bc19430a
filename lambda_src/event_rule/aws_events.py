"""Event patterns for AWS's own events, which arrive on the default bus: calls of its API, and what its services tell.

``PutEvents`` takes a source that begins with ``aws.`` from nobody but AWS. So that the rule of such a pattern can be
tried all the same, each pattern takes the event put by hand too, with ``by-hand.`` before its source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The ``detail-type`` of a call of the AWS API that AWS CloudTrail recorded.
API_CALL = "AWS API Call via CloudTrail"


def api_call(service: str, *names: str) -> dict[str, Any]:
    """Match calls of the AWS API, which AWS CloudTrail reports: ``api_call("ec2", "AuthorizeSecurityGroupIngress")``.

    The account needs a trail that records management events. Calls that only read, such as ``DescribeInstances``, come
    to a rule with ``read_only_calls=True`` alone.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    detail = {"eventSource": [f"{service}.amazonaws.com"], "eventName": [*names]}
    return service_event(service, API_CALL, detail)


def service_event(service: str, detail_type: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Match what a service tells: ``service_event("ecr", "ECR Image Scan", {"scan-status": ["COMPLETE"]})``.

    Source: https://docs.aws.amazon.com/eventbridge/latest/ref/welcome.html
    """
    return {
        "source": [f"aws.{service}", f"by-hand.aws.{service}"],
        "detail-type": [detail_type],
        "detail": dict(detail),
    }
