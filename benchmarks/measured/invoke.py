"""Invokes a handler with batch after batch, and prints how many messages it stored a second.

``invoke.py FOLDER MODULE FUNCTION BATCH_SIZE BATCHES``: of the standard library alone, as it runs on an interpreter
that has what AWS Lambda's Python runtime offers, and nothing else.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any

# As long as the texts of Faker that the chapter sends.
BODY = "Meet the sea of green with a paper boat, and leave the harbour behind before it is noon in the old town. " * 2


class Context:
    """What Lambda tells a handler about its invocation."""

    function_name = "SQSDynamoDB"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:SQSDynamoDB"
    memory_limit_in_mb = 256
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


def event(batch_size: int) -> dict[str, Any]:
    """Make an event as Lambda does from a batch of an SQS queue."""
    return {"Records": [record(str(uuid.uuid4())) for _ in range(batch_size)]}


def record(message_id: str) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": message_id * 4,
        "body": BODY[:160],
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1767225600123",
            "SenderId": "000000000000",
            "ApproximateFirstReceiveTimestamp": "1767225600456",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:Messages",
        "awsRegion": "us-east-1",
    }


def main(folder: str, module: str, function: str, batch_size: str, batches: str) -> float:
    sys.path.insert(0, folder)
    # One more than is measured: the first invocation opens the connection, as on Lambda a few of thousands do.
    events = [event(int(batch_size)) for _ in range(int(batches) + 1)]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        handler = getattr(import_module(module), function)
        answers = [handler(events.pop(), Context())]
        started = time.perf_counter()
        answers += [handler(batch, Context()) for batch in events]
        seconds = time.perf_counter() - started
    failed = [answer for answer in answers if answer and answer["batchItemFailures"]]
    if failed:
        sys.exit(f"{len(failed)} of {len(answers)} batches were not stored whole, the first: {failed[0]}")
    return int(batch_size) * int(batches) / seconds


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
