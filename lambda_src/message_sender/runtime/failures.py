"""What botocore's errors mean: whether another attempt may help, and what to tell a person."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailedError

#: What a request to AWS raises when it fails as a whole.
REQUEST_ERRORS = (BotoCoreError, ClientError)
#: What it raises when there was no answer.
NO_ANSWER = (ConnectionFailedError, HTTPClientError)


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed a little later: no answer, too many requests, or a fault of the service.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or "Throttl" in error_code(error)
    return isinstance(error, NO_ANSWER)


def error_code(error: ClientError) -> str:
    """Name the error as AWS does."""
    return error.response.get("Error", {}).get("Code", "Unknown")


def in_one_line(error: Exception) -> str:
    """Say what went wrong."""
    if isinstance(error, ClientError):
        return f"{error_code(error)}: {error.response.get('Error', {}).get('Message', 'no message')}"
    return " ".join(str(error).split())
