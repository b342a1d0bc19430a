"""Commands for events: put them on a bus, watch what arrives, replay an archive, try a pattern."""

import sys
from datetime import datetime, timezone
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lab import choices, deployment
from lab.choices import Json, TargetOption, Yes
from lab.errors import UsageError
from lab.events import archives, buses, entries, patterns
from lab.target import Target, TargetName
from lab.views.terminal import err, out, print_json, steps
from lab_stacks import catalog
from lambda_src.message_sender.runtime.send_message import stop_on_signals

events = typer.Typer(
    no_args_is_help=True, help="Put events on a bus, watch what arrives there, replay an archive, try a pattern."
)
Bus = Annotated[str | None, typer.Option(help="Event bus; by default that of the section eventbridge.")]


@events.command()
def put(
    *,
    source: Annotated[str | None, typer.Option(help="Who sends it, such as shop.orders.")] = None,
    detail_type: Annotated[str | None, typer.Option(help="What happened, such as OrderPlaced.")] = None,
    detail: Annotated[
        str | None, typer.Option(help="The rest, a JSON object; `@FILE` reads it from a file, `-` from standard input.")
    ] = None,
    file: Annotated[
        str | None, typer.Option(help="Several events, a JSON object a line; `-` reads standard input.")
    ] = None,
    bus: Bus = None,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Put events on a bus.

    `lab events put --source shop.orders --detail-type OrderPlaced --detail '{"id": "7", "total": 150}'`

    A line of a file is an event as `lab events tail --json` prints it:
    `{"source": "shop.orders", "detail-type": "OrderPlaced", "detail": {"id": "7", "total": 150}}`. The options stand
    in for what a line does not say. Every line is checked before the first event is sent.
    """
    given = {"source": source, "detail-type": detail_type}
    if detail is not None:
        given["detail"] = entries.parsed(_text(detail, "--detail"), "--detail")
    defaults = {name: value for name, value in given.items() if value is not None}
    if file is not None:
        whole = _text(file if file == "-" else f"@{file}", "--file")
        to_put = entries.entries(whole.splitlines(), file, defaults)
        if not to_put:
            raise UsageError(f"--file {file} holds no event.")
    else:
        to_put = [entries.entry({"detail": {}, **defaults}, "The event")]
    where = choices.opened(target)
    name = _bus(where, bus)
    choices.confirm(where, f"put {len(to_put)} events on the bus {name}", yes=yes)
    with steps() as progress:
        sent = buses.put(
            where.session,
            name,
            to_put,
            lambda now: progress.waiting_for(f"Putting events: {len(now.event_ids)} of {len(to_put)}"),
        )
    failed = sum(sent.failures.values())
    if json:
        print_json({"bus": name, "sent": len(sent.event_ids), "failed": failed, "eventIds": sent.event_ids})
    else:
        one = f", with the id {sent.event_ids[0]}" if len(sent.event_ids) == 1 else ""
        out.print(f"{len(sent.event_ids)} on the bus {escape(name)}{one}.")
    for reason, number in sent.failures.items():
        err.print(f"[red]{number} not taken:[/red] {escape(reason)}")
    raise typer.Exit(1 if failed else 0)


@events.command()
def tail(
    *,
    pattern: Annotated[
        str | None, typer.Option(help="Only events that match it: a JSON object, `@FILE`, or `-`. All by default.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many; by default there is no end.")] = None,
    bus: Bus = None,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Print what arrives on a bus, until Ctrl-C.

    `lab events tail --pattern '{"detail": {"total": [{"numeric": [">", 100]}]}}'`

    A rule and a queue of its own bring the events here, and are removed at the end. On AWS a new rule may need a
    minute before it sees its first event.
    """
    wanted = entries.parsed(_text(pattern, "--pattern"), "--pattern") if pattern is not None else None
    where = choices.opened(target)
    name = _bus(where, bus)
    choices.confirm(where, f"make a temporary rule and queue to watch the bus {name}", yes=yes)
    with stop_on_signals() as stop, buses.tail(where.session, name, wanted) as receive:
        err.print(f"Watching the bus {escape(name)}; Ctrl-C ends it.")
        seen = 0
        while not stop.is_set() and seen != count:
            for event in receive()[: None if count is None else count - seen]:
                seen += 1
                _print(event, json=json)
    raise typer.Exit(stop.exit_status)


@events.command()
def replay(
    *,
    start: Annotated[
        str, typer.Option("--from", help="From when: how long ago (`10m`, `2h`, `1d`), or a time (`2026-05-01T09:30`).")
    ] = "1h",
    end: Annotated[str, typer.Option("--to", help="Until when; by default now (`0s`).")] = "0s",
    archive: Annotated[str | None, typer.Option(help="Archive; by default that of the section eventbridge.")] = None,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Send archived events to their own bus once more, and wait until all of them are there.

    `lab events replay --from 2h --to 1h` replays what arrived between two hours ago and one hour ago. Each has the
    field `replay-name` now, so that a rule can tell it. On AWS an event may need ten minutes to reach the archive.
    Ctrl-C cancels what is left.
    """
    first, last = archives.span(start, end, now=datetime.now(timezone.utc))
    where = choices.opened(target)
    name = archive or deployment.find(catalog.section("eventbridge"), where).output("ArchiveName")
    choices.confirm(where, f"replay the archive {name}", yes=yes)
    with steps() as progress:
        done = archives.replay(
            where.session, name, first, last, lambda state: progress.waiting_for(f"Replaying {name}: {state}")
        )
    if json:
        print_json({"replay": done.name, "archive": name, "bus": done.bus, "state": done.state})
    else:
        between = f"from {archives.written(first)} to {archives.written(last)}"
        # EventBridge tells nobody how many.
        out.print(f"Replayed what {escape(name)} holds {between} to the bus {escape(done.bus)}, as {done.name}.")


@events.command("test-pattern")
def try_pattern(
    *,
    pattern: Annotated[str, typer.Option(help="Event pattern: a JSON object, `@FILE`, or `-`.")],
    event: Annotated[str, typer.Option(help="Event: a JSON object, `@FILE`, or `-`.")],
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """Say whether a pattern matches an event: exit status 0 if it does, 1 if not.

    `lab events test-pattern --pattern '{"detail": {"total": [{"numeric": [">=", 100]}]}}' --event '{"detail":
    {"total": 150}}'`

    EventBridge itself is asked. What every event has (`id`, `time`, `account`, ...) need not be said.
    """
    if pattern == event == "-":
        raise UsageError("--pattern - and --event -: standard input can be read for one of them.")
    wanted = entries.parsed(_text(pattern, "--pattern"), "--pattern")
    tried = entries.parsed(_text(event, "--event"), "--event")
    it_does = patterns.matches(choices.opened(target).session, wanted, tried)
    if json:
        print_json({"matches": it_does})
    else:
        out.print("[green]matches[/green]" if it_does else "[yellow]does not match[/yellow]")
    raise typer.Exit(0 if it_does else 1)


def _bus(where: Target, bus: str | None) -> str:
    if bus is None:
        return deployment.find(catalog.section("eventbridge"), where).output("BusName")
    buses.require_bus(where.session, bus)
    return bus


def _text(value: str, option: str) -> str:
    """Read what an option says, or names."""
    if value == "-":
        return sys.stdin.read()
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{option}: {value[1:]} cannot be read: {error}") from None


def _print(event: entries.Event, *, json: bool) -> None:
    if json:
        print(dumps(event), flush=True)
    else:
        heading = f"{event['time']}  {event['source']}  {event['detail-type']}"
        out.print(f"[dim]{escape(heading)}[/dim]  {escape(dumps(event['detail']))}")
