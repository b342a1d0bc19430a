"""The chapter's ``send_message.py``: sends messages to an Amazon SQS queue until it is stopped, or so many.

``python -m runtime.send_message -q Messages -i 0.1`` on an instance. Other programs import from here what they need.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from typing import TYPE_CHECKING

from .connection import QueueUnavailableError, client_config, find_queue, sqs_client
from .plan import Plan
from .sender import BatchResult, Progress, Totals, send
from .stopping import SignalStop, stop_on_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BatchResult",
    "Plan",
    "Progress",
    "QueueUnavailableError",
    "SignalStop",
    "Totals",
    "client_config",
    "find_queue",
    "main",
    "send",
    "sqs_client",
    "stop_on_signals",
]

log = logging.getLogger(__name__)

_EPILOG = """\
examples:
  send_message.py -q Messages -i 0.1                  a random text every 0.1 s, until Ctrl-C
  send_message.py -q Messages -i 1 -m hello           the same text every second
  send_message.py -q Messages --count 1000            1,000 texts in batches, as fast as possible
  send_message.py -q Messages --rate 200 --parallel 4 200 a second, from 4 workers, until Ctrl-C

Ctrl-C finishes what is in flight and prints the totals; a second one stops at once.

exit status: 0 all sent, 1 some not sent, 2 nothing tried because something was wrong with the options, the queue or
the AWS configuration, 130 stopped by Ctrl-C, 143 stopped by SIGTERM.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Send messages as the command line says, and return the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    logging.basicConfig(format="[%(levelname)s] %(message)s", level=arguments.log)
    plan = _plan(parser, arguments)
    with stop_on_signals() as stop:
        try:
            client = sqs_client(plan.parallel)
            queue_url = find_queue(client, arguments.queue_name)
            log.info(queue_url)
            totals = send(client, queue_url, plan, stop=stop, progress=None if plan.one_by_one else _every_second())
        except QueueUnavailableError as error:
            parser.exit(2, f"{parser.prog}: error: {error}\n")
        except KeyboardInterrupt:
            log.warning("Stopped at once: what was in flight may be in the queue or not")
            return stop.exit_status
    if totals.gave_up:
        log.error("Gave up, as a whole request failed: %s", totals.gave_up)
    print(totals)
    return stop.exit_status or int(totals.failed > 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="send_message.py",
        description="Send messages to an Amazon SQS queue.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--queue-name", "-q", required=True, help="SQS queue name")
    parser.add_argument(
        "--interval",
        "-i",
        type=float,
        help="seconds from one message to the next, sent one by one; 0 is as fast as possible, in batches. "
        "Required, unless --count, --rate or --parallel is given: then it is 0",
    )
    parser.add_argument("--message", "-m", help="message to send; by default each is a random text")
    parser.add_argument(
        "--log", "-l", type=_log_level, default="INFO", help="logging level: DEBUG, INFO, WARNING or ERROR (INFO)"
    )
    parser.add_argument("--count", type=int, help="messages to send; by default there is no end")
    parser.add_argument("--rate", type=float, help="messages a second, over all workers; excludes --interval")
    parser.add_argument("--parallel", type=int, default=None, help="workers that send at the same time, 1 to 64 (1)")
    return parser


def _log_level(name: str) -> str:
    if not isinstance(logging.getLevelName(name.upper()), int):
        raise argparse.ArgumentTypeError(f"{name} is not one of DEBUG, INFO, WARNING, ERROR")
    return name.upper()


def _plan(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Plan:
    if all(getattr(arguments, option) is None for option in ("interval", "count", "rate", "parallel")):
        parser.error("say how fast or how much to send: --interval/-i, --count, --rate or --parallel is required")
    try:
        return Plan(
            message=arguments.message,
            count=arguments.count,
            interval=arguments.interval,
            rate=arguments.rate,
            parallel=1 if arguments.parallel is None else arguments.parallel,
        )
    except ValueError as error:
        parser.error(str(error))


def _every_second() -> Progress:
    """Log how far it is, once a second at most."""
    shown = time.monotonic()

    def progress(_: BatchResult, totals: Totals) -> None:
        nonlocal shown
        if time.monotonic() - shown >= 1:
            shown = time.monotonic()
            log.info(totals)

    return progress


if __name__ == "__main__":
    sys.exit(main())
