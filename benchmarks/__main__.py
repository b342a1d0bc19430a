"""``python -m benchmarks [NAME ...]``: measures, and prints the table of ratios."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from benchmarks import (
    consumer,
    events,
    handler_import,
    lab_up,
    lifecycle,
    load_balancer,
    nested_query,
    rows,
    sender,
    specifications,
    synth,
    trace_receiver,
    tracing,
)
from benchmarks.comparison import measure
from benchmarks.table import COLUMNS, row
from benchmarks.workbench import MeasurementError, workbench
from lab.views.terminal import err, print_json, print_table, steps
from lab_stacks.names import UnknownNameError, known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.comparison import Comparison, Measurement
    from benchmarks.workbench import Workbench


@dataclass(frozen=True)
class Benchmark:
    """Comparisons that are measured together, in so many rounds by default."""

    shows: str
    comparisons: Callable[[Workbench], list[Comparison]]
    rounds: int


BENCHMARKS = {
    "consumer": Benchmark("messages that the handler stores a second", consumer.comparisons, rounds=5),
    "sender": Benchmark("messages sent a second", sender.comparisons, rounds=5),
    "import": Benchmark("time to import the handler and make its client", handler_import.comparisons, rounds=15),
    "synth": Benchmark("time of `cdk synth`", synth.comparisons, rounds=5),
    "lab-up": Benchmark("time of `lab up`", lab_up.comparisons, rounds=3),
    "lab-up-eks": Benchmark("time of `lab up eks`", lab_up.of_eks, rounds=3),
    "lab-up-sar": Benchmark("time of `lab up sar`", lab_up.of_sar, rounds=3),
    "lab-up-data": Benchmark("time of `lab up aurora` and of `lab up appsync`", lab_up.of_data, rounds=3),
    "events": Benchmark("events that get through a rule to a queue a second", events.comparisons, rounds=5),
    "rows": Benchmark("rows inserted by the Data API a second", rows.comparisons, rounds=5),
    "nested-query": Benchmark("milliseconds of one nested query of a graph", nested_query.comparisons, rounds=3),
    "trace-receiver": Benchmark("segments that the local X-Ray takes a second", trace_receiver.comparisons, rounds=3),
    "tracing": Benchmark(
        "time that tracing adds to a cold start, and takes of an invocation", tracing.comparisons, rounds=15
    ),
    "lifecycle": Benchmark("time to evaluate a lifecycle policy", lifecycle.comparisons, rounds=7),
    "load-balancer": Benchmark("requests that reach a container a second", load_balancer.comparisons, rounds=5),
    "specifications": Benchmark("time to validate cluster specifications", specifications.comparisons, rounds=5),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for, print it, and return the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.rounds is not None and options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}: 1 or more")
    try:
        names = [known("benchmark", name, BENCHMARKS) for name in options.names] or list(BENCHMARKS)
    except UnknownNameError as error:
        parser.error(str(error))
    try:
        measurements, failures = _measure(names, options.rounds)
    except KeyboardInterrupt:
        err.print("[yellow]Interrupted.[/yellow]")
        return 130
    except MeasurementError as error:
        err.print(f"[red]What was started could not be ended:[/red] {escape(str(error))}")
        return 1
    if options.json:
        print_json({"comparisons": [measured.as_json() for measured in measurements], "not_measured": failures})
    else:
        print_table(COLUMNS, map(row, measurements))
    return 1 if failures else 0


def _measure(names: Iterable[str], rounds: int | None) -> tuple[list[Measurement], dict[str, str]]:
    """Measure one benchmark after the other; say of those that could not be measured, why."""
    measurements: list[Measurement] = []
    failures: dict[str, str] = {}
    with workbench() as bench, steps() as progress:
        for name in names:
            load = psutil.getloadavg()[0]
            progress.step(f"Measuring {name} (load of the machine: {load:.1f} on {psutil.cpu_count()} cores)")
            benchmark = BENCHMARKS[name]
            try:
                measurements += measure(benchmark.comparisons(bench), rounds or benchmark.rounds, progress)
            except (MeasurementError, BotoCoreError, ClientError) as error:
                failures[name] = str(error)
                err.print(f"[red]{name} could not be measured:[/red] {escape(str(error))}")
    return measurements, failures


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<16}{benchmark.shows}" for name, benchmark in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare with named alternatives, both sides in the same run, and print the ratios.",
        epilog=f"benchmarks:\n{listed}\n\nexit status: 0 all was measured, whatever the ratios; 1 something could not "
        "be; 2 the question was wrong; 130 interrupted.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="which of the benchmarks below; all by default")
    parser.add_argument("--rounds", type=int, help="how often each side is measured; by default 3 to 15 times")
    parser.add_argument("--json", action="store_true", help="print JSON, with the figures of every round")
    return parser


if __name__ == "__main__":
    sys.exit(main())
