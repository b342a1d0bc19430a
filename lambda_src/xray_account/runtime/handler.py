"""Sets the key with which X-Ray encrypts an account's traces, for AWS CloudFormation, which has no resource for it.

When the resource is deleted, or when its creation is undone, X-Ray encrypts with its own key again. CloudFormation is
always answered, or it would wait for an hour.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

# Not boto3, which would load the transfer manager of Amazon S3 too.
import botocore.session
from tracing import tracer

xray: Any = botocore.session.get_session().create_client("xray")


@tracer.handler
def handler(event: dict[str, Any], context: Any) -> None:
    """Do what a request of CloudFormation asks for, and answer it."""
    try:
        encrypt(event["RequestType"], event["ResourceProperties"]["KeyId"])
    except Exception as error:  # whatever it is, CloudFormation has to hear of it
        answer(event, "FAILED", f"{type(error).__name__}: {error}. Log stream: {context.log_stream_name}")
    else:
        answer(event, "SUCCESS", "")


def encrypt(request_type: str, key: str) -> None:
    """Set the key, or give it up."""
    if request_type == "Delete":
        xray.put_encryption_config(Type="NONE")
    else:
        xray.put_encryption_config(Type="KMS", KeyId=key)


def answer(event: dict[str, Any], status: str, reason: str) -> None:
    """Tell CloudFormation, at the address that it gave."""
    body = {
        "Status": status,
        "Reason": reason,
        # An account and region has one encryption: it is the same resource for ever.
        "PhysicalResourceId": "xray-encryption",
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT")  # noqa: S310
    # The address is signed for a request without a content type.
    request.add_unredirected_header("Content-Type", "")
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - CloudFormation's own address
        pass
