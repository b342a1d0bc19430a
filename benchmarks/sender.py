"""The sender against the chapter's ``send_message.py``: messages sent a second."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.comparison import AtLeast, Comparison, Side
from benchmarks.workbench import HERE, MeasurementError, measured

if TYPE_CHECKING:
    from benchmarks.workbench import Workbench

_MESSAGES = 5000
#: Fewer, as each takes longer.
_MESSAGES_OF_CHAPTER = 500
_QUEUE = "Benchmark"


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare both senders, in processes of their own, with a queue of the emulator's that nobody reads."""
    chapter = Side("the chapter's send_message.py -i 0", partial(_send_as_chapter, bench))
    return [
        Comparison(
            title=title,
            ours=Side(title, partial(_send, bench, workers)),
            alternative=chapter,
            unit="messages/s",
            target=AtLeast(target),
        )
        for title, workers, target in (("sender, 1 worker", 1, 9), ("sender, 4 workers", 4, 15))
    ]


def _send(bench: Workbench, workers: int) -> float:
    return _into_new_queue(bench, _MESSAGES, "our_sender.py", _QUEUE, str(_MESSAGES), str(workers))


def _send_as_chapter(bench: Workbench) -> float:
    script = str(HERE / "chapter" / "send_message.py")
    # One more than is measured: the clock starts after the first.
    return _into_new_queue(
        bench, _MESSAGES_OF_CHAPTER + 1, "chapter_sender.py", script, _QUEUE, str(_MESSAGES_OF_CHAPTER)
    )


def _into_new_queue(bench: Workbench, messages: int, script: str, *words: str) -> float:
    """Measure a sender on an empty queue, and see to it that all it says it sent is there."""
    sqs = bench.lab.client("sqs")
    url = sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
    try:
        figure = measured(script, *words, environment=bench.lab.environment)
        depth = "ApproximateNumberOfMessages"
        arrived = int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[depth])["Attributes"][depth])
    finally:
        sqs.delete_queue(QueueUrl=url)
    if arrived != messages:
        raise MeasurementError(f"{script}: {arrived} of {messages} messages are in the queue")
    return figure
