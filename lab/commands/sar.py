"""Commands about serverless applications: package, publish, share, list and deploy them."""

import shlex
from dataclasses import astuple
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from lab import choices, deployment
from lab.choices import ContextValues, Json, PostureName, TargetOption, Yes
from lab.errors import UsageError
from lab.project import LAB
from lab.sar import deploying, packaging, publishing, sharing
from lab.target import Aws, Target, TargetName
from lab.views.terminal import Steps, err, out, print_json, print_table, steps
from lab_stacks import catalog
from lambda_src.published_application.listed import unlisted
from lambda_src.published_application.rules import CAPABILITIES, METADATA

sar = typer.Typer(
    no_args_is_help=True,
    help="Publish Lab 15.1 as a serverless application, share it, and deploy it or somebody else's.\n\n"
    "`lab up sar` makes the bucket for packages. Then: `package`, `publish`, `share`, `deploy`.",
)
ApplicationName = Annotated[
    str, typer.Argument(metavar="APPLICATION", help="Name of one of this account's, or the ARN of anybody's.")
]
OwnName = Annotated[str, typer.Argument(metavar="APPLICATION", help="Name or ARN of one of this account's.")]
# What everybody may see is browsed there; the API lists what is one's own.
_PUBLIC = "https://serverlessrepo.aws.amazon.com/applications"


@sar.command()
def package(
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write the packaged template; in .lab/ by default.")
    ] = None,
    target: TargetOption = TargetName.LOCAL,
    posture: PostureName = None,
    context: ContextValues = None,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Make the application from Lab 15.1's stack, upload its code, and write the template that can be published.

    What AWS would refuse is refused, all of it at once, before anything is uploaded; a type of resource that it is not
    known to take is noted. A new version: `-c semantic_version=1.1.0`.
    """
    section, values = catalog.section("sar"), choices.context(posture, context)
    with steps() as progress:
        where = choices.opened(target)
        bucket = deployment.find(section, where).output("BucketName")
        values.setdefault("posture", deployment.posture_of([section], where) or "lab")
        with progress.paused():
            choices.confirm(where, f"upload a package to the bucket {bucket}", yes=yes)
        deployment.synth([section], values, where, progress)
        progress.step("Packaging")
        template_file = packaging.template_in(LAB / f"assembly-{target.value}", section.stack_id)
        template = packaging.package(template_file, where.session.client("s3"), bucket)
        _note_doubts(progress, template)
    written = output or _packaged(target)
    written.write_text(dumps(template, indent=1))
    described = template["Metadata"][METADATA]
    if json:
        print_json({"template": str(written), "bucket": bucket, "application": described})
        return
    out.print(f"{described['Name']} {described['SemanticVersion']}: {written}")
    written_to = f" {escape(shlex.quote(str(output)))}" if output else ""
    err.print(f"`lab sar publish{written_to}{deployment.flag(where)}` publishes it, for this account alone.")


@sar.command()
def publish(
    template: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A packaged template; what was packaged last by default.")
    ] = None,
    *,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Publish a packaged application, or its next version: private, for this account alone until it is shared.

    A version that is published stays as it is, and the licence is that of the first version.
    """
    packaged = packaging.read(template or _packaged(target))
    where = choices.opened(target)
    described = packaged["Metadata"][METADATA]
    choices.confirm(where, f"publish {described.get('Name')} {described.get('SemanticVersion')}, privately", yes=yes)
    with steps() as progress:
        _note_doubts(progress, packaged)
        progress.step("Publishing")
        repository = publishing.client(where.session)
        made = publishing.publish(repository, packaged)
        audience = sharing.audience_now(repository, made["ApplicationId"])
    if json:
        print_json({**made, "SharedWith": _as_json(audience)})
        return
    out.print(made["ApplicationId"])
    err.print(f"{made['Name']} {made['Version']['SemanticVersion']} is there, for {audience}.")


@sar.command()
def share(
    application: OwnName,
    *,
    account: Annotated[
        list[str] | None, typer.Option(metavar="NUMBER", help="An account that may deploy it; once for each.")
    ] = None,
    organization: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="An organization whose accounts may, such as o-a1b2c3d4e5.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Everybody may, in every region.")] = False,
    private: Annotated[bool, typer.Option("--private", help="Nobody else may any more.")] = False,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Say who may find and deploy an application. What is said now takes the place of what was said before.

    It shows what becomes visible, and asks first, on the emulator too. What others deployed meanwhile stays theirs.
    """
    audience = sharing.Audience.of(account or (), organization or (), everybody=public, nobody=private)
    where = choices.opened(target)
    repository = publishing.client(where.session)
    shared = publishing.described(repository, application)
    now = sharing.audience_now(repository, shared["ApplicationId"])
    sharing.require_complete(shared, audience)
    err.print(f"{shared['ApplicationId']} is shared with {now}. It would be shared with [bold]{audience}[/bold].")
    if not private:
        err.print("Whoever that is sees:")
        for visible in sharing.what_becomes_visible(repository, shared):
            err.print(f"  - {escape(visible)}")
    if not yes:
        choices.ask("Share it so?")
    sharing.share(repository, shared, audience)
    if json:
        print_json({"ApplicationId": shared["ApplicationId"], "SharedWith": _as_json(audience)})
    else:
        out.print(f"{shared['Name']} is shared with {audience}.")


@sar.command("list")
def list_applications(
    application: Annotated[
        str | None, typer.Argument(metavar="[APPLICATION]", help="One of this account's, or the ARN of anybody's.")
    ] = None,
    *,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """List this account's applications, or show one: its versions, parameters, and the capabilities that it wants.

    The applications of others that everybody may see are browsed at serverlessrepo.aws.amazon.com, without an account;
    their ARN shows them here.
    """
    repository = publishing.client(choices.opened(target).session)
    if application:
        found = publishing.described(repository, application)
        versions = [one["SemanticVersion"] for one in publishing.versions(repository, found["ApplicationId"])]
        if json:
            print_json({**found, "Versions": versions})
        else:
            _print(found, parameters=True)
            out.print(f"Versions: {', '.join(versions) or 'none'}")
        return
    with steps() as progress:
        progress.waiting_for("Reading the applications")
        listed = [(one, sharing.audience_now(repository, one["ApplicationId"])) for one in publishing.own(repository)]
    if json:
        print_json([{**one, "SharedWith": _as_json(audience)} for one, audience in listed])
        return
    print_table(
        ["APPLICATION", "AUTHOR", "LICENCE", "SHARED WITH"],
        [[one["Name"], one["Author"], one.get("SpdxLicenseId", "-"), str(audience)] for one, audience in listed],
    )
    err.print(f"Those that everybody may see: {_PUBLIC}")


@sar.command()
def deploy(
    application: ApplicationName,
    *,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Which version; the newest by default.")
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of the stack, `serverlessrepo-NAME`; by default the application's."),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="Value for a parameter.")
    ] = None,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Find an application and deploy it: what it is and wants, then what it would make, and then, if you agree, that.

    One that is deployed is updated, and keeps the values of the parameters that you do not give.

    Nothing is created before the answer but the change set that is shown; a no removes it, and so does Ctrl-C.
    """
    where = choices.opened(target)
    repository, cloudformation = publishing.client(where.session), where.session.client("cloudformation")
    found = publishing.described(repository, application, version)
    if "Version" not in found:
        raise UsageError(f"{found['Name']} has no version to deploy.")
    deployed = deploying.deployed_values(cloudformation, deploying.stack_of(found, stack))
    values = deploying.values_of(found, parameter or [], deployed)
    _print(found, parameters=not json)
    if kept := [name for name, value in deployed.items() if values.get(name) == value]:
        err.print(escape(f"As it is deployed: {', '.join(f'{name}={values[name]}' for name in kept)}"))
    wanted = found["Version"]["RequiredCapabilities"]
    if not yes:
        choices.ask(f"It wants {len(wanted)} capabilities. Let it have them?" if wanted else "Prepare its deployment?")
    with steps() as progress:
        progress.step("Preparing the change set")
        prepared = deploying.change_set(
            repository, cloudformation, found, stack=stack or found["Name"], values=values, capabilities=wanted
        )
    agreed = False
    try:
        if not json:
            print_table(["ACTION", "TYPE", "RESOURCE", "REPLACED"], [astuple(change) for change in prepared.changes])
        if lost := [_named(change) for change in prepared.changes if change.replaced]:
            err.print(f"[bold]New ones take their place, without what is in them[/bold]: {', '.join(lost)}")
        agreed = _agreed(where, prepared, yes=yes)
    finally:
        # Ctrl-C and the end of what is typed are a no too.
        if not agreed:
            deploying.discard(cloudformation, prepared)
            err.print("Nothing was deployed; the change set is gone.")
    if not agreed:
        raise typer.Exit(1)
    with steps() as progress:
        progress.step(f"Deploying {prepared.stack_name}")
        try:
            outputs = deploying.execute(cloudformation, prepared)
        except KeyboardInterrupt:
            progress.note(f"CloudFormation goes on with the stack {prepared.stack_name}: its events say how it ends.")
            raise
    if json:
        print_json({"stack": prepared.stack_name, "outputs": outputs})
    else:
        print_table(["OUTPUT", "VALUE"], [list(pair) for pair in sorted(outputs.items())])


def _agreed(where: Target, prepared: deploying.ChangeSet, *, yes: bool) -> bool:
    place = f"account {where.account}" if isinstance(where, Aws) else "the emulator"
    return yes or typer.confirm(
        f"Make these {len(prepared.changes)} changes to the stack {prepared.stack_name} in {place}?", err=True
    )


def _named(change: deploying.Change) -> str:
    return f"{change.logical_id} (perhaps)" if change.replaced == "perhaps" else change.logical_id


def _print(application: dict[str, Any], *, parameters: bool) -> None:
    version = application.get("Version", {})
    err.print(
        f"[bold]{escape(application['Name'])}[/bold] {version.get('SemanticVersion', '')} by "
        f"{escape(application['Author'])}{' (verified)' if application.get('IsVerifiedAuthor') else ''}, "
        f"licence {application.get('SpdxLicenseId') or 'not said'}"
    )
    err.print(escape(application["Description"]))
    err.print(escape(application["ApplicationId"]))
    declared = [
        [one["Name"], one.get("DefaultValue", "(needed)"), one.get("Description", "")]
        for one in version.get("ParameterDefinitions", [])
    ]
    if declared and parameters:
        print_table(["PARAMETER", "DEFAULT", "WHAT IT IS"], declared)
    for capability in version.get("RequiredCapabilities", []):
        err.print(f"[yellow]{capability}[/yellow]: it {CAPABILITIES[capability]}.")


def _note_doubts(progress: Steps, template: dict[str, Any]) -> None:
    for doubt in unlisted(template):
        progress.note(doubt)


def _packaged(target: TargetName) -> Path:
    return LAB / f"sar-packaged-{target.value}.json"


def _as_json(audience: sharing.Audience) -> dict[str, Any]:
    return {
        "accounts": list(audience.accounts),
        "organizations": list(audience.organizations),
        "everybody": audience.everybody,
    }
