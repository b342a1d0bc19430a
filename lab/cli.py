"""The `lab` command: its table of contents, and what happens when something goes wrong."""

import sys

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from lab.commands import (
    anywhere,
    aurora,
    ecr,
    eks,
    eks_anywhere,
    eks_d,
    events,
    machine,
    messages,
    sar,
    sections,
    traces,
)
from lab.errors import LabError
from lab.views.terminal import err
from lab_stacks.names import UnknownNameError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Run the chapter "Serverless Architecture" on your laptop, or in your AWS account.

    A *section* is one stack of the chapter. `lab run SECTION` deploys it with the AWS CDK and then uses what it
    deployed, to check every claim. By default that happens on an emulator on this machine: no AWS account, no
    credentials, no cost.

    Exit status: 0 all is well, 1 something failed, 2 the question was wrong, 130 interrupted.
    """,
)


app.command("list")(sections.list_sections)
app.command()(sections.up)
app.command()(sections.run)
app.command()(sections.synth)
app.command()(sections.picture)
app.command()(sections.diff)
app.command()(sections.status)

app.command()(messages.send)
app.command()(messages.logs)
app.add_typer(messages.dlq, name="dlq")
app.add_typer(events.events, name="events")
app.add_typer(traces.traces, name="traces")

app.add_typer(ecr.ecr, name="ecr")
app.add_typer(anywhere.anywhere, name="anywhere")
app.add_typer(eks.eks, name="eks")
app.add_typer(aurora.aurora, name="aurora")
app.add_typer(eks_anywhere.eks_anywhere, name="eks-anywhere")
app.add_typer(eks_d.eks_d, name="eks-d")
app.add_typer(sar.sar, name="sar")

app.command()(machine.doctor)
app.command()(machine.env)
app.command()(machine.down)
app.command()(machine.reset)


def main() -> None:
    """Run the command; what went wrong is one sentence on standard error."""
    try:
        app()
    except (LabError, UnknownNameError) as error:
        err.print(f"[red]lab:[/red] {escape(str(error))}")
        sys.exit(getattr(error, "exit_status", 2))
    except (BotoCoreError, ClientError) as error:
        err.print(f"[red]lab:[/red] {escape(str(error))}")
        sys.exit(1)
