"""Connects to a queue, or says in one sentence why that cannot be done."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from botocore.exceptions import NoCredentialsError, NoRegionError, PartialCredentialsError

from .failures import NO_ANSWER, REQUEST_ERRORS, in_one_line

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_sqs import SQSClient


class QueueUnavailableError(Exception):
    """Says in one sentence why nothing can be sent to the queue, and what to do."""


def client_config(parallel: int) -> Config:
    """Configure a client for so many workers: a connection each, and no retries besides the sender's own."""
    from botocore.config import Config  # noqa: PLC0415 - slow to import, and who has a client has done it

    return Config(
        max_pool_connections=parallel,
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=30,  # eight attempts stay within the five minutes in which a FIFO queue recognises a message
    )


def sqs_client(parallel: int) -> SQSClient:
    """Make a client from the caller's AWS configuration.

    :raises QueueUnavailableError: when that configuration is incomplete or wrong.
    """
    import boto3  # noqa: PLC0415 - slow to import, and who has a client has done it

    try:
        return boto3.client("sqs", config=client_config(parallel))
    except (*REQUEST_ERRORS, ValueError) as error:
        raise QueueUnavailableError(_why_no_client(error)) from error


def find_queue(client: SQSClient, queue_name: str) -> str:
    """Find the queue's URL.

    :raises QueueUnavailableError: when there is no such queue, or it cannot be asked for.
    """
    try:
        return client.get_queue_url(QueueName=queue_name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist as error:
        where = f"{client.meta.region_name} at {client.meta.endpoint_url}"
        hint = _similar_names(client, queue_name)
        raise QueueUnavailableError(f"there is no queue {queue_name} in {where}{hint}") from error
    except NO_ANSWER as error:
        raise QueueUnavailableError(
            f"{client.meta.endpoint_url} cannot be reached: is there a network, and is AWS_ENDPOINT_URL, if it is set, "
            "the address of something that runs?"
        ) from error
    except REQUEST_ERRORS as error:
        raise QueueUnavailableError(f"queue {queue_name} cannot be used: {_why_no_client(error)}") from error


def _why_no_client(error: Exception) -> str:
    if isinstance(error, NoRegionError):
        return "no AWS Region is configured: set AWS_DEFAULT_REGION, or run `aws configure`"
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return (
            "no AWS credentials were found: run `aws configure`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or give the instance a role"
        )
    return in_one_line(error)


def _similar_names(client: SQSClient, queue_name: str) -> str:
    """Name queues that may have been meant, for callers who may list queues: sending does not need that permission."""
    try:
        urls = client.list_queues().get("QueueUrls", [])
    except REQUEST_ERRORS:
        return ""
    similar = difflib.get_close_matches(queue_name, [url.rsplit("/", 1)[-1] for url in urls])
    return f"; was {' or '.join(similar)} meant?" if similar else ""
