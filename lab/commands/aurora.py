"""Commands about the Aurora cluster: its instances are swapped from one kind to the other while it runs."""

from typing import Annotated

import typer
from rich.markup import escape

from lab import choices, deployment
from lab.aurora import plan as plans
from lab.aurora.cluster import SwappableCluster
from lab.aurora.plan import Kind, State, Step
from lab.aurora.swap import swap as carry_out
from lab.choices import ContextValues, Json, TargetOption, Yes
from lab.target import TargetName
from lab.views.terminal import err, out, print_json, print_table, steps
from lab_stacks import catalog

aurora = typer.Typer(no_args_is_help=True, help="Swap the instances of the Aurora cluster while it runs.")


@aurora.callback()
def group() -> None:
    """Swap the instances of the Aurora cluster while it runs."""


@aurora.command()
def swap(
    *,
    to: Annotated[Kind, typer.Option(help="Which kind of instances the cluster shall have.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps that are left, and take none.")] = False,
    target: TargetOption = TargetName.LOCAL,
    context: ContextValues = None,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Swap a running cluster from provisioned to serverless instances, or the other way, without downtime.

    Instances of the other kind are deployed beside the old ones, one of them takes over (a failover, in which writes
    wait for some seconds), and the old ones are removed. Every instance is the stack's: afterwards `lab diff aurora`
    is empty, and `lab up aurora` keeps what was swapped.

    Interrupted, it goes on where it was when you say it again, or back when you say the other kind.
    """
    section, values = catalog.section("aurora"), choices.context(None, context)
    with steps() as progress:
        where = choices.opened(target)
        values.setdefault("posture", deployment.posture_of([section], where) or "lab")
        cluster = SwappableCluster(section, where, values, progress)
        progress.waiting_for("Looking at the cluster")
        left = plans.plan(cluster.observe(), to)
        if left and not dry_run:
            with progress.paused():
                choices.confirm(where, f"swap {section.id} to {to.value} instances, {len(left)} steps", yes=yes)

            def show(step: Step) -> None:
                progress.end_step()
                with progress.paused():
                    err.print(f"[bold]{escape(step.text)}[/bold]")

            left = carry_out(cluster, to, before=show)
        state = cluster.observe()
    _show(state, to, left, json=json, dry_run=dry_run)


def _show(state: State, to: Kind, listed: list[Step], *, json: bool, dry_run: bool) -> None:
    if json:
        members = [
            {"identifier": one.identifier, "kind": one.kind.value, "writer": one.is_writer} for one in state.members
        ]
        print_json(
            {"to": to.value, "steps": [step.as_json() for step in listed], "taken": not dry_run, "members": members}
        )
        return
    if dry_run:
        for number, step in enumerate(listed, start=1):
            out.print(f"{number}. {escape(step.text)}")
    print_table(
        ["INSTANCE", "KIND", "ROLE"],
        [[one.identifier, one.kind.value, "writer" if one.is_writer else "reader"] for one in state.members],
    )
    if not listed:
        err.print(f"Every instance is {to.value} already.")
