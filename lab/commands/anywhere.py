"""Commands about hosts outside AWS: register them with the section's cluster, list them, and end it."""

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lab import choices, deployment
from lab.anywhere import activations, installation, instances, renderings
from lab.choices import Json, TargetOption, Yes
from lab.deployment import Deployment
from lab.errors import LabError, UsageError
from lab.runbook import wait_for
from lab.target import TargetName
from lab.views.terminal import err, print_json, print_table, steps
from lab_stacks import catalog
from lab_stacks.names import known

anywhere = typer.Typer(
    no_args_is_help=True, help="Make hosts outside AWS external instances of Amazon ECS, and end it again."
)
_WAIT_SECONDS = 600


@anywhere.command()
def register(
    *,
    count: Annotated[
        int, typer.Option("--count", metavar="HOSTS", help="How many hosts may register, 1 to 1,000.")
    ] = 1,
    expires: Annotated[
        str,
        typer.Option("--expires", metavar="DURATION", help="How long they may, such as 90m, 24h or 7d; 30d at most."),
    ] = "24h",
    name: Annotated[str, typer.Option("--name", help="What Systems Manager calls the hosts.")] = "ecs-anywhere",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="A tag of the hosts; may be repeated.")
    ] = None,
    folder: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where the script goes; the folder must not be there yet.")
    ] = Path("ecs-anywhere"),
    target: TargetOption = TargetName.LOCAL,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Make an activation, and write the script that makes a host an external instance of the section's cluster.

    FOLDER then has `install.sh` and `activation-code`, both readable by you alone: copy the folder to the host and say
    there `sudo bash install.sh`. The script checks the host first, verifies what it downloads, and can be run again.
    The code is nowhere else: it is not printed, not in the script, and the script removes it from the host when that is
    registered. With cloud-init a copy stays: `lab anywhere render --help` says where, and what to do.
    """
    lasts, tags = activations.lifetime(expires), activations.tags(tag or [])
    deployed = _deployed(target)
    choices.confirm(deployed.target, f"make an activation for {count:,} hosts", yes=yes)
    installation.prepare(folder)
    try:
        made, code = activations.create(deployed, count=count, lasts=lasts, name=name, extra_tags=tags)
        try:
            installation.write(folder, made, code)
        except BaseException:
            # Nobody has its code, and so nobody could use it.
            activations.delete(deployed, made.id)
            raise
    except BaseException:
        shutil.rmtree(folder)
        raise
    if json:
        print_json({**made.as_json(), "folder": str(folder)})
        return
    err.print(
        f"Activation {made.id}, for {count:,} hosts until {made.expires:%Y-%m-%d %H:%M} UTC. Copy [bold]"
        f"{escape(str(folder))}[/bold] to the host, and there: [bold]sudo bash install.sh[/bold]"
    )


@anywhere.command("list")
def list_hosts(
    *,
    wait: Annotated[
        int | None, typer.Option("--wait", metavar="HOSTS", help="Wait up to ten minutes for so many connected hosts.")
    ] = None,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """Show the hosts, whether their agents are connected and what runs on them, and the activations that are left.

    With `--wait`, the exit status is 1 when so many hosts do not connect.
    """
    deployed = _deployed(target)
    enough = wait is None or _connected(deployed, wait)
    hosts, left = instances.of_section(deployed), activations.of_section(deployed)
    if json:
        print_json({"hosts": [host.as_json() for host in hosts], "activations": [one.as_json() for one in left]})
    else:
        rows = [
            [
                host.instance_id,
                host.name,
                host.ping,
                "connected" if host.connected else "-",
                host.status,
                str(host.tasks),
            ]
            for host in hosts
        ]
        if rows:
            print_table(["HOST", "NAME", "SYSTEMS MANAGER", "ECS AGENT", "STATUS", "TASKS"], rows)
        if left:
            print_table(
                ["ACTIVATION", "NAME", "EXPIRES", "HOSTS"],
                [
                    [
                        one.id,
                        one.name or "-",
                        "expired" if one.expired else f"{one.expires:%Y-%m-%d %H:%M} UTC",
                        f"{one.registered} of {one.limit}",
                    ]
                    for one in left
                ],
            )
        err.print(f"{len(hosts):,} hosts, {sum(host.connected for host in hosts):,} of them connected.")
    if not enough:
        raise LabError(f"After ten minutes there are not {wait:,} connected hosts.")


@anywhere.command()
def deregister(
    what: Annotated[str, typer.Argument(metavar="HOST|ACTIVATION", help="As `lab anywhere list` names them.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Do not wait for the host's tasks to end: they run on by themselves.")
    ] = False,
    target: TargetOption = TargetName.LOCAL,
    yes: Yes = False,
) -> None:
    """Take a host out of the cluster and out of Systems Manager, or end an activation.

    The host's tasks are ended first, and started elsewhere if there is room. Its agents stay installed.
    """
    deployed = _deployed(target)
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", what):
        choices.confirm(deployed.target, f"end the activation {what}", yes=yes)
        activations.delete(deployed, what)
        err.print(f"No host can register with {what} any more.")
        return
    host = instances.find(deployed, what)
    choices.confirm(deployed.target, f"deregister the host {what}", yes=yes)
    with steps() as progress:
        progress.step(f"Deregistering {what}")
        instances.deregister(deployed, host, force=force)
    err.print(
        "On the host: [bold]sudo systemctl disable --now ecs amazon-ssm-agent[/bold]; and before it registers again, "
        "with a new activation: [bold]sudo rm -rf /var/lib/amazon/ssm/Vault/Store/RegistrationKey /var/lib/ecs/data"
        "[/bold]"
    )


@anywhere.command()
def render(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `lab anywhere register` wrote.")],
    *,
    form: Annotated[str, typer.Option("--form", metavar="FORM", help="cloud-init or ansible.")],
) -> None:
    """Write the installation as user data for cloud-init, or as a playbook for Ansible, into FOLDER.

    The user data has the activation code in it, the playbook has not: both are readable by you alone.

    cloud-init keeps a copy of its user data on the host, for root alone, and writes it anew at each start: when all
    hosts are registered, `lab anywhere deregister ACTIVATION` makes the code worthless, and leaves the hosts as they
    are.
    """
    file, write = renderings.FORMS[known("form", form, renderings.FORMS)]
    activation = installation.read(folder)
    if not (folder / installation.SCRIPT).exists():
        raise UsageError(f"{folder / installation.SCRIPT} is not there: `lab anywhere register` writes it.")
    installation.write_private(folder / file, write(folder, activation))
    err.print(f"Written: [bold]{escape(str(folder / file))}[/bold]")


def _deployed(target: TargetName) -> Deployment:
    return deployment.find(catalog.section("ecs-anywhere"), choices.opened(target))


def _connected(deployed: Deployment, wanted: int) -> bool:
    with steps() as progress:
        progress.waiting_for(f"Waiting for {wanted:,} connected hosts")
        return wait_for(
            lambda: sum(host.connected for host in instances.of_section(deployed)) >= wanted, seconds=_WAIT_SECONDS
        )
