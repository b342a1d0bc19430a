"""Commands for what travels through a deployed section: messages, dead letters, logs."""

import logging
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lab import choices, dead_letters, deployment, log_events
from lab.choices import Json, SectionId, TargetOption, Yes
from lab.errors import UsageError
from lab.target import TargetName
from lab.views.terminal import err, out, print_json, print_table, steps
from lab_stacks import catalog
from lambda_src.message_sender.runtime.send_message import (
    Plan,
    QueueUnavailableError,
    client_config,
    find_queue,
    stop_on_signals,
)
from lambda_src.message_sender.runtime.send_message import send as send_messages

dlq = typer.Typer(no_args_is_help=True, help="Look at a section's dead letters, and send them back.")


def send(
    *,
    queue_name: Annotated[str, typer.Option("--queue-name", "-q", help="SQS queue name.")] = "Messages",
    interval: Annotated[
        float | None, typer.Option("--interval", "-i", help="Seconds from one message to the next, one by one.")
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="Message to send; by default each is a random text.")
    ] = None,
    count: Annotated[int | None, typer.Option(help="Messages to send; by default there is no end.")] = None,
    rate: Annotated[float | None, typer.Option(help="Messages a second, over all workers.")] = None,
    parallel: Annotated[int, typer.Option(help="Workers that send batches at the same time, 1 to 64.")] = 1,
    log: Annotated[str, typer.Option("--log", "-l", help="Logging level: DEBUG, INFO, WARNING or ERROR.")] = "WARNING",
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Send messages to a queue, as the chapter's `send_message.py` does.

    `lab send --count 1000 --parallel 4` sends batches as fast as it can; `lab send -i 0.1` sends one message every
    0.1 s, until Ctrl-C, which finishes what is in flight and prints the totals.
    """
    try:
        plan = Plan(message=message, count=count, interval=interval, rate=rate, parallel=parallel)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if log.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise UsageError(f"--log {log}: the levels are DEBUG, INFO, WARNING and ERROR.")
    logging.basicConfig(format="[%(levelname)s] %(message)s", level=log.upper())
    where = choices.opened(target)
    choices.confirm(where, f"send messages to the queue {queue_name}", yes=yes)
    client = where.session.client("sqs", config=client_config(parallel))
    bar = Progress(
        TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err, transient=True
    )
    with stop_on_signals() as stop:
        try:
            queue_url = find_queue(client, queue_name)
            with bar:
                task = bar.add_task("", total=count)
                # The newest count is all that the bar needs, and it is called by one worker at a time.
                totals = send_messages(
                    client, queue_url, plan, stop=stop, progress=lambda _, now: bar.update(task, completed=now.sent)
                )
        except QueueUnavailableError as error:
            raise UsageError(str(error)) from None
    if json:
        print_json({"queue": queue_url, "sent": totals.sent, "failed": totals.failed, "seconds": totals.seconds})
    else:
        out.print(str(totals))
    for reason, messages in totals.failures.items():
        err.print(f"[red]{messages} not sent:[/red] {escape(reason)}")
    raise typer.Exit(stop.exit_status or int(totals.failed > 0))


def logs(
    section_id: SectionId,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(help="How far back, such as `30s`, `10m`, `2h` or `1d`.")] = "10m",
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """Print what a section's functions logged."""
    section, seconds = catalog.section(section_id), log_events.seconds_of(since)
    deployed = deployment.find(section, choices.opened(target))
    for event in log_events.read(deployed, seconds=seconds, follow=follow):
        if json:
            print(event.as_json(), flush=True)
        else:
            out.print(f"[dim]{event.time}  {event.source}[/dim]  {escape(event.message)}")


@dlq.command()
def show(
    section_id: SectionId,
    *,
    limit: Annotated[int, typer.Option(min=1, help="Messages to show at the most.")] = 20,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """Show what is in a section's dead-letter queues, and leave it there."""
    deployed = deployment.find(catalog.section(section_id), choices.opened(target))
    with steps() as progress:
        progress.waiting_for("Reading the dead-letter queues")
        waiting, letters = dead_letters.count(deployed), dead_letters.peek(deployed, limit)
    if json:
        print_json({"waiting": waiting, "messages": [letter.as_json() for letter in letters]})
        return
    if letters:
        rows = [
            [one.queue, one.message_id, one.sent_at, str(one.receives), one.error, one.body[:200]] for one in letters
        ]
        print_table(["QUEUE", "MESSAGE ID", "SENT", "RECEIVES", "ERROR", "BODY"], rows)
    err.print(f"{waiting} dead letters, {len(letters)} shown." if waiting else "There are no dead letters.")


@dlq.command()
def redrive(
    section_id: SectionId, *, target: TargetOption = TargetName.LOCAL, json: Json = False, yes: Yes = False
) -> None:
    """Send a section's dead letters back to the queue that they came from.

    Mend the cause first: what still cannot be handled returns. A message that is sent back is a new one to SQS: it
    gets a new MessageId.
    """
    where = choices.opened(target)
    deployed = deployment.find(catalog.section(section_id), where)
    choices.confirm(where, f"redrive the dead letters of {section_id}", yes=yes)
    with steps() as progress:
        moved = dead_letters.redrive(deployed, lambda number: progress.waiting_for(f"Sending back: {number}"))
    if json:
        print_json({"redriven": moved})
    else:
        out.print(f"{moved} sent back to the queue.")
