"""Commands about this machine: what is installed, and the emulator."""

import typer
from rich.markup import escape

from lab import choices, emulator, isolation
from lab import doctor as examination
from lab.choices import Json, Yes
from lab.errors import LabError
from lab.project import require_checkout
from lab.views.terminal import Steps, out, print_json, steps


def doctor(*, json: Json = False) -> None:
    """Say what is installed, what is missing, and what that costs you."""
    with steps() as progress:
        progress.waiting_for("Looking around")
        findings = examination.examine()
    if json:
        print_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            out.print(f"{'[green]✓[/green]' if finding.well else '[yellow]![/yellow]'} {escape(finding.text)}")
    raise typer.Exit(0 if all(finding.well or finding.optional for finding in findings) else 1)


def env(*, json: Json = False) -> None:
    """Print what points the AWS CLI, boto3 and every SDK at the emulator.

    `eval "$(lab env)"`, and then `aws sqs list-queues`, or the chapter's own `send_message.py -q Messages -i 0.1`.
    Only that terminal is changed.
    """
    running = emulator.found(Steps(None))
    if running is None:
        if not json:
            print("false")  # so that `eval` fails, and what comes after `&&` does not reach another account
        raise LabError("The emulator does not run: `lab up` starts it.")
    settings = running.settings
    if json:
        print_json(settings)
    else:
        print(isolation.as_shell(settings))


def down() -> None:
    """Stop the emulator; it keeps its state for the next `lab up`."""
    require_checkout()
    with steps() as progress:
        progress.waiting_for("Stopping the emulator")
        stopped = emulator.stop()
    out.print(f"Stopped the emulator (process {stopped.pid})." if stopped else "The emulator did not run.")


def reset(*, yes: Yes = False) -> None:
    """Stop the emulator and forget everything that was deployed to it."""
    if not yes:
        choices.ask("Forget everything that was deployed to the emulator?")
    require_checkout()
    with steps() as progress:
        progress.waiting_for("Stopping the emulator")
        left = emulator.reset()
        for command in left:
            progress.note(
                "A container engine did not remove all volumes of this lab, or does not answer. Once it does, `lab "
                f"reset` again, or: {command}"
            )
    out.print("The emulator is stopped, and its state is gone.")
