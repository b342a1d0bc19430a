"""Commands for traces: which there are, what one looks like, and the graph of all services in them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lab import choices, log_events, service_graph
from lab import traces as x_ray
from lab.choices import Json, TargetOption
from lab.errors import UsageError
from lab.target import TargetName
from lab.views import service_graph as drawn_graph
from lab.views import timeline
from lab.views import traces as listed
from lab.views.terminal import err, out, print_json, print_table, steps

traces = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Look at the traces that requests left in AWS X-Ray, or in the lab's own on this machine.

    `lab traces list` finds them, `lab traces show ID` draws one, `lab traces graph` shows which service calls which.
    """,
)

Since = Annotated[str, typer.Option(help="How far back, such as `30s`, `10m`, `2h` or `1d`.")]
Group = Annotated[str | None, typer.Option(metavar="NAME", help="Only traces of this X-Ray group.")]
_MOST_LINKED = 10


@traces.command("list")
def list_traces(
    *,
    since: Since = "10m",
    filter_expression: Annotated[
        str | None, typer.Option("--filter", metavar="EXPRESSION", help="Only traces that match, as X-Ray writes it.")
    ] = None,
    group: Group = None,
    limit: Annotated[int, typer.Option(min=1, help="Traces to list at the most, the newest.")] = 20,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """List the newest traces, the newest first.

    A filter expression says which. What is at its top is about the request as its caller saw it; `service` and `edge`
    look inside:

    - `--filter 'fault'` : the request failed with a fault (5xx); `error`, `throttle`, `ok`, `partial` go alike

    - `--filter 'responsetime > 0.5 AND http.url CONTAINS "/orders"'`

    - `--filter 'service("api.example.com") { fault OR responsetime > 2.5 }'` : it went wrong there

    - `--filter 'edge("front", "Orders") { throttle }'` : this call of one service to another was throttled

    - `--filter 'annotation[order_id] = "4711"'` : the code annotated its segment so

    The whole language: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
    """
    seconds, expression = log_events.seconds_of(since), x_ray.checked(filter_expression, group)
    xray = choices.opened(target).session.client("xray")
    with steps() as progress:
        progress.waiting_for("Reading traces")
        if group is not None:
            x_ray.require_group(xray, group)
        found = x_ray.summaries(xray, seconds=seconds, expression=expression, limit=limit)
    if json:
        print_json([one.as_json() for one in found])
    elif found:
        print_table(listed.COLUMNS, listed.rows(found, brief=out.is_terminal))
    if not found:
        err.print(_nothing(since, expression))


@traces.command()
def show(
    trace_id: Annotated[str, typer.Argument(metavar="ID", help="Which trace, or the beginning of its id.")],
    *,
    since: Annotated[
        str, typer.Option(help="How far back to look for an id that is not written in full, such as `1d`.")
    ] = "6h",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="With annotations, and where exceptions came from.")
    ] = False,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """Draw a trace as a timeline: what ran below what, from when to when, and what went wrong.

    `lab traces show 1-66f0ab12-9` : the beginning of an id is enough, if it is the only one.

    Traces that this one is linked to follow below it: those of the senders of the messages that it is about.
    """
    seconds = log_events.seconds_of(since)
    xray = choices.opened(target).session.client("xray")
    with steps() as progress:
        progress.waiting_for("Reading the trace")
        trace = x_ray.find(xray, trace_id, seconds=seconds)
        linked, left_out = x_ray.linked(xray, trace, limit=_MOST_LINKED)
    if json:
        print_json({"trace": x_ray.as_json(trace), "linked": [x_ray.as_json(one) for one in linked]})
        return
    for number, one in enumerate([trace, *linked]):
        if out.is_terminal:
            out.print(f"\n[bold]{'Linked trace' if number else 'Trace'} {escape(timeline.heading(one))}[/bold]")
            for line in timeline.lines(one, width=out.width, verbose=verbose):
                out.print(line)
        else:
            print_table(timeline.COLUMNS, ([one.id, *cells] for cells in timeline.cells(one)))
    if left_out:
        err.print(f"{left_out} more linked traces are not shown.")


@traces.command()
def graph(
    *,
    since: Since = "10m",
    group: Group = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", dir_okay=False, help="Draw it into this file.")
    ] = None,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """Show the service graph: which service calls which, how often, how long it takes, and what goes wrong.

    `lab traces graph --since 1h --svg graph.svg` draws it; any browser shows the file.
    """
    seconds = log_events.seconds_of(since)
    xray = choices.opened(target).session.client("xray")
    with steps() as progress:
        progress.waiting_for("Reading the service graph")
        if group is not None:
            x_ray.require_group(xray, group)
        found = service_graph.service_graph(xray, seconds=seconds, group=group)
    if svg and found.services:
        _write(svg, drawn_graph.svg(found, f"Service graph of the last {since}{f', group {group}' if group else ''}"))
    if json:
        print_json(found.as_json())
    elif found.services:
        width = out.width if out.is_terminal else None
        print_table(*drawn_graph.services(found, width=width), title="Services")
        out.print()
        print_table(*drawn_graph.calls(found, width=width), title="Calls")
    if not found.services:
        err.print(_nothing(since, group))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text)
    except OSError as error:
        raise UsageError(f"--svg {file}: {error.strerror}.") from None
    err.print(f"Drawn into {escape(str(file))}.")


def _nothing(since: str, condition: str | None) -> str:
    if condition:
        return (
            f"No such traces in the last {since}: `--since 1d` looks back further, and without a filter there are all."
        )
    return (
        f"No traces in the last {since}. Send a request to something that is traced, such as `lab run xray` does; a "
        "trace appears some seconds later. `--since 1d` looks back further."
    )
