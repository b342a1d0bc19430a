"""Runs the chapter's ``send_message.py``, as it stands, and prints how many messages it sent a second.

``chapter_sender.py SCRIPT QUEUE_NAME MESSAGES``. The script itself has no end. It calls ``sleep`` after each message,
so that is where its messages are counted: the clock starts after the first one and stops after ``MESSAGES`` more.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from contextlib import redirect_stderr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import SupportsIndex

sleep = time.sleep


class EnoughError(Exception):
    """All messages are sent."""


def main(script: str, queue_name: str, messages: int) -> float:
    sent_at: list[float] = []

    def counting_sleep(seconds: SupportsIndex | float) -> None:
        sleep(seconds)
        sent_at.append(time.perf_counter())
        if len(sent_at) > messages:
            raise EnoughError

    time.sleep = counting_sleep
    sys.argv = [script, "-q", queue_name, "-i", "0"]
    # Its log, of two lines a message, goes nowhere: writing it to a terminal would take longer.
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        try:
            runpy.run_path(script, run_name="__main__")
        except EnoughError:
            time.sleep = sleep
    return messages / (sent_at[-1] - sent_at[0])


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
