"""Sets the key with which X-Ray encrypts an account's traces, for AWS CloudFormation, which has no resource for it.

When the resource is deleted, or when its creation is undone, X-Ray encrypts with its own key again. CloudFormation is
always answered, or it would wait for an hour.
"""

from __future__ import annotations

from typing import Any

# Not boto3, which would load the transfer manager of Amazon S3 too.
import botocore.session
from custom_resource import answered
from tracing import tracer

xray: Any = botocore.session.get_session().create_client("xray")


@tracer.handler
def handler(event: dict[str, Any], context: Any) -> None:
    """Do what a request of CloudFormation asks for, and answer it."""
    answered(
        event,
        context,
        lambda: encrypt(event["RequestType"], event["ResourceProperties"]["KeyId"]),
        # An account and region has one encryption: it is the same resource for ever.
        physical_id="xray-encryption",
    )


def encrypt(request_type: str, key: str) -> None:
    """Set the key, or give it up."""
    if request_type == "Delete":
        xray.put_encryption_config(Type="NONE")
    else:
        xray.put_encryption_config(Type="KMS", KeyId=key)
