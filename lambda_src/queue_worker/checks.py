"""What Amazon SQS and AWS Lambda permit a queue and its consumer, option by option and pair by pair."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_sqs as sqs

    from lambda_src.options import Options


def check(
    options: Options,
    *,
    function_timeout: Duration | None,
    reserved_concurrency: int | None,
    queue_name: str | None,
    fifo: bool,
    batch_size: int,
    window: float,
    max_concurrency: int,
    max_receives: int,
    visibility: float,
    retention: float,
    max_age: float,
    dead_letter_queue: sqs.IQueue | None,
) -> None:
    """Note every option that is outside its range, and every pair that excludes each other; times are in seconds.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    options.require(
        function_timeout is not None,
        "function_timeout",
        "unknown",
        "give it for a function that this app does not make",
    )
    _check_names(options, queue_name, fifo, dead_letter_queue)
    _check_batches(options, fifo, batch_size, window)
    options.require(2 <= max_concurrency <= 1000, "max_concurrency", max_concurrency, "2 to 1,000")
    options.require(
        reserved_concurrency is None or max_concurrency <= reserved_concurrency,
        "max_concurrency",
        max_concurrency,
        f"at most the function's reserved_concurrency of {reserved_concurrency}, "
        "or throttled messages end in the dead-letter queue",
    )
    options.require(
        2 <= max_receives <= 1000, "max_receives", max_receives, "2 to 1,000, or one failure buries a message"
    )
    options.require(60 <= retention <= 13 * 86_400, "retention", f"{retention:,} s", "60 s to 13 days")
    options.require(
        retention > max_receives * visibility,
        "retention",
        f"{retention:,} s",
        f"longer than {max_receives} attempts of {visibility:,} s, "
        "or a message expires before it reaches the dead-letter queue",
    )
    options.require(60 <= max_age < retention, "max_age", f"{max_age:,} s", f"60 s or more and below {retention:,} s")


def _check_names(options: Options, queue_name: str | None, fifo: bool, dead_letter_queue: sqs.IQueue | None) -> None:
    named = queue_name is None or (
        len(queue_name) <= 80 and re.fullmatch(r"[A-Za-z0-9_-]+(\.fifo)?", queue_name) is not None
    )
    options.require(named, "queue_name", queue_name, "1 to 80 letters, digits, and any of _-")
    options.require(
        queue_name is None or queue_name.endswith(".fifo") == fifo,
        "queue_name",
        queue_name,
        "the name of a FIFO queue, and of no other, ends in .fifo",
    )
    options.require(
        dead_letter_queue is None or dead_letter_queue.fifo == fifo,
        "dead_letter_queue",
        "of the other kind",
        "a FIFO queue has a FIFO dead-letter queue, a standard queue a standard one",
    )


def _check_batches(options: Options, fifo: bool, batch_size: int, window: float) -> None:
    options.require(1 <= batch_size <= 10_000, "batch_size", batch_size, "1 to 10,000")
    options.require(0 <= window <= 300, "batching_window", f"{window:,} s", "0 to 300 s")
    if fifo:
        options.require(batch_size <= 10, "batch_size", batch_size, "10 at most from a FIFO queue")
        options.require(window == 0, "batching_window", f"{window:,} s", "a FIFO queue has none; leave it out")
    else:
        options.require(
            batch_size <= 10 or window >= 1, "batch_size", batch_size, "above 10 needs a batching_window of 1 s or more"
        )
