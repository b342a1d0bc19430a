"""Commands about clusters outside AWS: write, check and plan with specifications, and connect clusters to AWS."""

import importlib.util
import shlex
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from lab import choices, deployment
from lab.choices import Json, TargetOption, Yes
from lab.eks_anywhere import bundle as kits
from lab.eks_anywhere import connector
from lab.eks_anywhere import upgrade as upgrades
from lab.errors import LabError, UsageError
from lab.files import read_text
from lab.target import TargetName
from lab.views.terminal import err, out, print_json, print_table, steps
from lab_stacks import catalog
from lab_stacks.names import known
from lambda_src.eks_anywhere.specification import Document, Site

eks_anywhere = typer.Typer(
    no_args_is_help=True, help="Write, check and upgrade cluster specifications; connect a cluster to the EKS console."
)
File = Annotated[str, typer.Argument(metavar="FILE", help="The specification; `-` reads it from standard input.")]
Network = Annotated[
    str | None, typer.Option(metavar="CIDR", help="The machines' network: what has an address of its own is in it.")
]
DhcpRange = Annotated[
    str | None, typer.Option(metavar="FIRST-LAST", help="What DHCP gives away there: the control plane is not in it.")
]
Made = Annotated[
    str | None,
    typer.Option("--eks-anywhere", metavar="VERSION", help="EKS Anywhere, where the specification names none."),
]


@eks_anywhere.command()
def render(
    cluster: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE.py:NAME",
            help="`docker`, `vsphere`, `bare-metal` or `nutanix`; or a cluster of your own in a Python file.",
        ),
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; standard output by default.")
    ] = None,
) -> None:
    """Write a typed specification as the YAML that `eksctl anywhere create cluster -f` takes.

    The four names are the clusters of `lab_stacks/eks_anywhere_clusters.py`, one for each provider. `FILE.py:NAME` runs
    the file, and takes what it calls NAME, a `Cluster`: one that cannot be is refused, with everything that is wrong.
    """
    text = _cluster(cluster).as_yaml()
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from None
    err.print(f"Wrote {escape(str(output))}: `lab eks-anywhere validate {escape(str(output))}` checks it.")


@eks_anywhere.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Specifications; `-` reads standard input.")],
    *,
    network: Network = None,
    dhcp_range: DhcpRange = None,
    eks_anywhere: Made = None,
    json: Json = False,
) -> None:
    """Check anybody's specification before anything runs, and point at the line of what is wrong.

    By the schemas of EKS Anywhere's own kinds, with unknown fields refused, then by what schemas cannot say: counts,
    versions that go together, addresses, references between documents, and what the provider asks for. An unquoted
    `1.30` is named for what it is, the number 1.3. Exit status 1 when anything is wrong.
    """
    from lab.eks_anywhere import validation  # noqa: PLC0415 - loads the compiled schemas

    site = _site(network, dhcp_range, eks_anywhere)
    reports = {name: validation.validate(read_text(name), site) for name in files}
    if json:
        print_json({name: {"findings": [one.as_json() for one in report.findings]} for name, report in reports.items()})
    for name, report in reports.items() if not json else ():
        for finding in report.findings:
            place = f"{name}:{finding.line}:{finding.column}"
            out.print(f"[bold]{escape(place)}[/bold]: {escape(str(finding.problem))}", soft_wrap=True, highlight=False)
        kinds = ", ".join(str(document["kind"]) for document in report.documents)
        wrong = len(report.findings)
        if not wrong:
            err.print(f"{escape(name)}: nothing is wrong with {kinds}.")
        elif not report.rules_asked:
            err.print(f"{escape(name)}: {wrong} wrong. The rules between fields are asked once the fields are right.")
        else:
            err.print(f"{escape(name)}: {wrong} wrong.")
    raise typer.Exit(1 if any(report.findings for report in reports.values()) else 0)


@eks_anywhere.command("plan-upgrade")
def plan_upgrade(
    file: File,
    *,
    to: Annotated[str | None, typer.Option(metavar="VERSION", help="Kubernetes to reach, such as 1.36.")] = None,
    eks_anywhere: Annotated[
        str | None,
        typer.Option(
            "--eks-anywhere", metavar="VERSION", help="EKS Anywhere to reach; by default the oldest that has --to."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="VERSION", help="EKS Anywhere of now, where the specification names none."),
    ] = None,
    by: Annotated[
        upgrades.By, typer.Option(help="`cli` is `eksctl anywhere`; `flux` is a commit that Flux follows.")
    ] = upgrades.By.CLI,
    json: Json = False,
) -> None:
    """Give the ordered steps of an upgrade: what to change, what to run, and what has to be there before.

    One minor version at a time, of EKS Anywhere and of Kubernetes; management components before machines, the control
    plane before workers. After each step the specification is checked as `validate` does it. Nothing is changed.
    """
    if to is None and eks_anywhere is None:
        raise UsageError("Say where to: --to 1.36, --eks-anywhere v0.26.1, or both.")
    documents = _valid(file, Site(eksa_version=since))
    plan = upgrades.plan(file, documents, kubernetes=to, eks_anywhere=eks_anywhere, now=since, by=by)
    if json:
        print_json({"cluster": plan.name, "steps": [step.as_json() for step in plan.steps]})
        return
    for number, step in enumerate(plan.steps, start=1):
        out.print(f"[bold]{number}. {escape(step.title)}[/bold]", soft_wrap=True, highlight=False)
        if step.needs:
            out.print(f"   {escape(step.needs)}", soft_wrap=True, highlight=False)
        for change in step.changes:
            out.print(f"   {escape(str(change))}", soft_wrap=True, highlight=False)
        for command in step.commands:
            out.print(f"   $ {escape(command)}", soft_wrap=True, highlight=False)


@eks_anywhere.command()
def bundle(
    file: File,
    *,
    manifest: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="`bundle-release.yaml`, which `eksctl anywhere download artifacts` brings."),
    ] = None,
    json: Json = False,
) -> None:
    """List what a cluster without the Internet has to be given, and how it is brought in.

    Every image with its address in the registry mirror, the machine images, the registry's projects, and the commands.
    """
    import yaml  # noqa: PLC0415 - not for `lab --help`

    from lab.eks_d import releases  # noqa: PLC0415

    documents = _valid(file, Site())
    [cluster] = [document for document in documents if document["kind"] == "Cluster"]
    try:
        bundled = yaml.safe_load(read_text(manifest)) if manifest else None
    except yaml.YAMLError as error:
        raise UsageError(f"{manifest} is no YAML: {' '.join(str(error).split())}") from None
    if bundled is not None and not isinstance(bundled, dict):
        raise UsageError(f"{manifest} is no bundle manifest of EKS Anywhere.")
    version = cluster["spec"]["kubernetesVersion"]
    try:
        release = releases.find(version) if bundled is None else None
    except UsageError:
        raise UsageError(
            f"No release of EKS Distro for Kubernetes {version} comes with this project: say --manifest "
            "eks-anywhere-downloads/bundle-release.yaml, which `eksctl anywhere download artifacts` brings."
        ) from None
    kit = kits.kit(documents, release, bundled)
    if json:
        print_json(kit.as_json())
        return
    print_table(
        ["IMAGE", "DIGEST", "IN THE MIRROR"], [[one.source, one.digest or "-", one.mirrored] for one in kit.images]
    )
    out.print(f"Projects of {kit.mirror}: {', '.join(kit.projects)}", soft_wrap=True, highlight=False)
    for name in kit.files:
        out.print(f"Machine image: {escape(name)}", soft_wrap=True, highlight=False)
    for command in kit.commands:
        out.print(f"$ {escape(command)}", soft_wrap=True, highlight=False)
    for note in kit.notes:
        err.print(escape(note))


@eks_anywhere.command()
def connect(
    name: Annotated[str, typer.Argument(help="What the cluster is called in the EKS console.")],
    *,
    manifest: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write the agent's manifest, for its owner alone.")
    ] = Path("eks-connector.yaml"),
    role: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="The agent's role; by default that of the section eks-anywhere."),
    ] = None,
    provider: Annotated[str, typer.Option(help="What kind of cluster it is.")] = "EKS_ANYWHERE",
    viewer: Annotated[
        list[str] | None,
        typer.Option(metavar="ARN", help="IAM user or role that may look at it; may be given more than once."),
    ] = None,
    target: TargetOption = TargetName.LOCAL,
    yes: Yes = False,
) -> None:
    """Register a cluster that runs elsewhere, and write the manifest that makes it visible in the EKS console.

    The manifest has the activation code, which is valid for three days: apply it with `kubectl apply -f`, then delete
    it. The code is in that file alone, and in no output.
    """
    chosen = known("provider", provider.upper(), connector.PROVIDERS)
    opened = choices.opened(target)
    role_arn = role or deployment.find(catalog.section("eks-anywhere"), opened).output("ConnectorRoleArn")
    choices.confirm(opened, f"register {name} with EKS Connector, as {role_arn}", yes=yes)
    with steps() as progress:
        progress.step(f"Registering {name}")
        made = connector.register(opened.session, name, role_arn, manifest, provider=chosen, viewers=viewer or ())
    out.print(escape(str(made.manifest)), soft_wrap=True, highlight=False)
    err.print(
        f"{name} is registered. Before {made.expires:%Y-%m-%d %H:%M}: "
        f"`kubectl apply -f {escape(shlex.quote(str(made.manifest)))}`, then delete the file."
    )


@eks_anywhere.command()
def disconnect(
    name: Annotated[str, typer.Argument(help="What the cluster is called in the EKS console.")],
    *,
    target: TargetOption = TargetName.LOCAL,
    yes: Yes = False,
) -> None:
    """Take a cluster away from the EKS console; the cluster itself stays as it is."""
    opened = choices.opened(target)
    choices.confirm(opened, f"deregister {name}", yes=yes)
    with steps() as progress:
        progress.step(f"Deregistering {name}")
        connector.deregister(opened.session, name)
    err.print(f"{name} is no longer registered. In the cluster: `kubectl delete namespace eks-connector`.")


def _cluster(wanted: str) -> Any:
    from lab_stacks.eks_anywhere_clusters import CLUSTERS  # noqa: PLC0415
    from lambda_src.eks_anywhere.cluster import Cluster, InvalidSpecificationError  # noqa: PLC0415

    file, colon, name = wanted.rpartition(":")
    if not colon:
        return CLUSTERS[known("cluster", wanted, CLUSTERS)]
    spec = importlib.util.spec_from_file_location("clusters", file)
    if spec is None or spec.loader is None or not Path(file).is_file():
        raise UsageError(f"{file} is no Python file: write FILE.py:NAME.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except InvalidSpecificationError as error:
        raise LabError(f"{file}: {error}") from None
    except Exception as error:  # whatever somebody's file does
        raise LabError(f"{file} does not run: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if not isinstance(found, Cluster):
        raise UsageError(f"{file} has no Cluster that is called {name}.")
    return found


def _valid(file: str, site: Site) -> list[Document]:
    """Read a specification of one cluster, in which nothing is wrong."""
    from lab.eks_anywhere import validation  # noqa: PLC0415

    report = validation.validate(read_text(file), site)
    if report.findings:
        first = report.findings[0]
        raise LabError(
            f"{file}:{first.line}:{first.column}: {first.problem}. `lab eks-anywhere validate {file}` says everything."
        )
    clusters = [document["metadata"]["name"] for document in report.documents if document["kind"] == "Cluster"]
    if len(clusters) > 1:
        raise UsageError(f"{file} has the clusters {', '.join(clusters)}: give a file with one of them.")
    return [*report.documents]


def _site(network: str | None, dhcp_range: str | None, eksa_version: str | None) -> Site:
    try:
        machines = None if network is None else str(ip_network(network))
    except ValueError as error:
        raise UsageError(f"--network {network}: {error}.") from None
    given = None
    if dhcp_range is not None:
        first, _, last = dhcp_range.partition("-")
        try:
            lowest, highest = ip_address(first), ip_address(last)
        except ValueError:
            raise UsageError(f"--dhcp-range {dhcp_range}: two addresses, such as 10.20.1.0-10.20.3.250.") from None
        if lowest.version != highest.version or int(lowest) > int(highest):
            raise UsageError(f"--dhcp-range {dhcp_range}: the first address comes after the last.")
        given = (first, last)
    return Site(machines, given, eksa_version)
