"""Sends as ``send_message --count MESSAGES --parallel WORKERS`` does, and prints how many messages it sent a second.

``our_sender.py QUEUE_NAME MESSAGES WORKERS``. The clock starts where the chapter's script has sent its first message:
everything is imported and the queue is found. Making up the texts is measured.
"""

from __future__ import annotations

import logging
import os
import sys
import time

import faker  # noqa: F401 - the chapter's script has imported it by then too

from lambda_src.message_sender.runtime.send_message import Plan, find_queue, send, sqs_client


def main(queue_name: str, messages: int, workers: int) -> float:
    with open(os.devnull, "w") as nowhere:
        logging.basicConfig(stream=nowhere, level=logging.INFO)
        client = sqs_client(workers)
        queue_url = find_queue(client, queue_name)
        started = time.perf_counter()
        totals = send(client, queue_url, Plan(count=messages, parallel=workers))
        seconds = time.perf_counter() - started
    if totals.sent != messages:
        sys.exit(f"not all were sent: {totals}")
    return messages / seconds


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
