"""The options that several commands share, and what they mean once they are checked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lab import emulator
from lab.errors import LabError, UsageError
from lab.project import require_checkout
from lab.target import Aws, Local, Target, TargetName
from lab.views.terminal import Steps, err
from lab_stacks import catalog

if TYPE_CHECKING:
    from lab.progress import Progress


def _section_ids(incomplete: str) -> list[str]:
    return [entry.id for entry in catalog.SECTIONS if entry.id.startswith(incomplete)]


SectionId = Annotated[
    str, typer.Argument(metavar="SECTION", help="Which section; `lab list` names them.", autocompletion=_section_ids)
]
SectionIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SECTION]...", help="Which sections; all by default.", autocompletion=_section_ids),
]
DeployedIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SECTION]...", help="Which sections; all that are deployed by default.", autocompletion=_section_ids
    ),
]
TargetOption = Annotated[
    TargetName, typer.Option("--target", help="`local` is the emulator, `aws` the account of your AWS credentials.")
]
PostureName = Annotated[
    str | None,
    typer.Option(
        "--posture",
        help="`lab` is cheap, and its data goes with its stack, except that on AWS the buckets of `fargate` and `sar` "
        "have to be emptied first; `production` keeps and protects the data. By default what is deployed stays as it "
        "is, and what is new is `lab`.",
    ),
]
ContextValues = Annotated[
    list[str] | None,
    typer.Option("-c", "--context", metavar="NAME=VALUE", help="Context for the app, such as `client=ec2`."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a program.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def sections(ids: list[str] | None) -> list[catalog.CatalogEntry]:
    """Find the sections that were asked for: all, when none was named."""
    return [catalog.section(section_id) for section_id in ids] if ids else list(catalog.SECTIONS)


def context(posture: str | None, values: list[str] | None) -> dict[str, str]:
    """Make the app's context from the options.

    :raises UsageError: for a value that is not of the form NAME=VALUE.
    """
    pairs = {"posture": catalog.posture(posture).value} if posture else {}
    for value in values or []:
        name, equals, text = value.partition("=")
        if not (name and equals):
            raise UsageError(f"-c {value}: context is written NAME=VALUE, such as `-c client=ec2`.")
        if name in {"posture", "section"}:
            raise UsageError(f"-c {value}: `lab` has another way to say it, `--posture NAME` or `lab COMMAND SECTION`.")
        pairs[name] = text
    return pairs


def started(name: TargetName, progress: Progress) -> Target:
    """Open a target to deploy to; the emulator is started if it does not run."""
    require_checkout()
    if name is TargetName.AWS:
        return Aws()
    progress.step("Starting the emulator")
    return Local(emulator.start(progress))


def opened(name: TargetName) -> Target:
    """Open a target to look at.

    :raises LabError: when it is the emulator, and that does not run.
    """
    require_checkout()
    if name is TargetName.AWS:
        return Aws()
    running = emulator.found(Steps(None))
    if running is None:
        raise LabError("The emulator does not run: `lab up` starts it, with the state that it had.")
    return Local(running)


def confirm(target: Target, what: str, *, yes: bool) -> None:
    """Before something is made in an AWS account, show which, and ask."""
    if not isinstance(target, Aws):
        return
    err.print(f"AWS account [bold]{target.account}[/bold], region [bold]{target.region}[/bold]: {escape(what)}")
    if not yes:
        ask("Go on?")


def ask(question: str) -> None:
    """Ask, and end here unless the answer is yes."""
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to ask: say --yes to go on without a question.")
    typer.confirm(question, abort=True, err=True)
