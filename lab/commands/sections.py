"""Commands that deploy sections, run them, and show what they are."""

from json import loads
from pathlib import Path
from typing import Annotated

import typer

from lab import cdk, choices, deployment, emulator, emulator_process, isolation, runbook, xray_process
from lab.choices import ContextValues, DeployedIds, Json, PostureName, SectionId, SectionIds, TargetOption, Yes
from lab.errors import LabError
from lab.postgresql import preparation as postgresql
from lab.progress import Progress
from lab.project import LAB, require_checkout
from lab.target import Target, TargetName
from lab.views import checks
from lab.views import picture as drawing
from lab.views.terminal import err, out, print_json, print_table, steps
from lab_stacks import catalog

_WHOLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


def list_sections(*, json: Json = False) -> None:
    """List the sections of the chapter, in its order."""
    if json:
        print_json([{"id": entry.id, "heading": entry.heading, "shows": entry.shows} for entry in catalog.SECTIONS])
    else:
        print_table(["SECTION", "HEADING", "SHOWS"], [[s.id, s.heading, s.shows] for s in catalog.SECTIONS])


def up(
    ids: SectionIds = None,
    *,
    target: TargetOption = TargetName.LOCAL,
    posture: PostureName = None,
    context: ContextValues = None,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Deploy sections with the AWS CDK, and print their outputs.

    The emulator is started if it does not run, with the state that it had. What it cannot emulate is named, and left
    out of a copy of what the app synthesized; the app itself is the same everywhere.
    """
    chosen, values = choices.sections(ids), choices.context(posture, context)
    with steps() as progress:
        where = choices.started(target, progress)
        values.setdefault("posture", deployment.posture_of(chosen, where) or "lab")
        with progress.paused():
            choices.confirm(where, f"deploy {', '.join(s.id for s in chosen)}, posture {values['posture']}", yes=yes)
        deployments = deployment.deploy(chosen, values, where, progress)
    if json:
        print_json({deployed.section.id: dict(deployed.outputs) for deployed in deployments})
        return
    rows = [[one.section.id, *output] for one in deployments for output in sorted(one.outputs.items())]
    print_table(["SECTION", "OUTPUT", "VALUE"], rows)


def run(
    section_id: SectionId,
    *,
    target: TargetOption = TargetName.LOCAL,
    posture: PostureName = None,
    context: ContextValues = None,
    deploy: Annotated[bool, typer.Option(help="Deploy first; without, use what is deployed.")] = True,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Deploy a section and run its runbook: use what was deployed, and check every claim.

    Each check says what it rests on: `emulated`, `real container`, `real PostgreSQL`, `template` (what was deployed
    says so), `offline` (computed from files), `control plane only` (the service's API says so), `AWS only` (skipped
    here), or `AWS`. The exit status is 0 only if nothing failed.
    """
    section, values = catalog.section(section_id), choices.context(posture, context)
    book = runbook.of(section)
    with steps() as progress:
        where = choices.started(target, progress) if deploy else choices.opened(target)
        deployed_posture = deployment.posture_of([section], where)
        if deploy:
            values.setdefault("posture", deployed_posture or "lab")
        with progress.paused():
            posture = values.get("posture") or deployed_posture
            choices.confirm(where, f"run {section.id}, posture {posture}; what it makes stays there", yes=yes)
        if deploy:
            [deployed] = deployment.deploy([section], values, where, progress)
        else:
            deployed = deployment.find(section, where)

        def show(result: runbook.Result) -> None:
            if not json:
                with progress.paused():
                    checks.print_result(result)

        report = book.run(deployed, before=lambda check: progress.waiting_for(check.title), after=show)
    if json:
        print_json(report.as_json())
    else:
        checks.print_summary(report)
        if book.exhibit and not report.count(runbook.Outcome.FAILED):
            checks.print_exhibit(book.exhibit(deployed))
        _say_what_still_runs()
    raise typer.Exit(1 if report.count(runbook.Outcome.FAILED) else 0)


def synth(
    section_id: Annotated[
        str | None, typer.Argument(metavar="[SECTION]", help="Which section; all by default.")
    ] = None,
    *,
    posture: PostureName = None,
    context: ContextValues = None,
    json: Annotated[bool, typer.Option("--json", help="The template as JSON rather than YAML.")] = False,
) -> None:
    """Print the CloudFormation template of a section, or make the cloud assembly of all and say where it is."""
    values = choices.context(posture, context)
    sections = choices.sections([section_id] if section_id else None)
    assembly = _synthesized(sections, values)
    if section_id is None:
        out.print(str(assembly))
    else:
        words = ["synth", sections[0].stack_id, "--app", str(assembly)]
        raise typer.Exit(cdk.attached(*words, *(["--json"] if json else [])))


def picture(section_id: SectionId, *, posture: PostureName = None, context: ContextValues = None) -> None:
    """Draw a section's stack as a Mermaid flowchart: its resources and how they connect.

    It comes from the synthesized template. GitHub shows it in a Markdown file, in a code block named `mermaid`; thick
    arrows are the way of messages, dotted ones are permissions.
    """
    section = catalog.section(section_id)
    assembly = _synthesized([section], choices.context(posture, context))
    print(drawing.picture(loads((assembly / f"{section.stack_id}.template.json").read_text())), end="")


def _synthesized(sections: list[catalog.CatalogEntry], context: dict[str, str]) -> Path:
    """Synthesize for somebody who wants to look: for no account, and with no credentials."""
    require_checkout()
    chosen = {**context, "section": ",".join(section.id for section in sections)}
    environ = isolation.synthesis_environment(isolation.proxies())
    with steps() as progress:
        progress.step(f"Synthesizing {', '.join(section.stack_id for section in sections)}")
        return cdk.synth(LAB / "assembly-to-look-at", context=chosen, environ=environ, progress=progress)


def diff(
    ids: DeployedIds = None,
    *,
    target: TargetOption = TargetName.LOCAL,
    posture: PostureName = None,
    context: ContextValues = None,
    fail: Annotated[bool, typer.Option("--fail", help="Exit with status 1 if there are differences.")] = False,
) -> None:
    """Show what a deployment of sections would change in what is deployed."""
    chosen, values = choices.sections(ids), choices.context(posture, context)
    with steps() as progress:
        where = choices.opened(target)
        if not ids:
            chosen = _deployed_of(chosen, where, progress)
        values.setdefault("posture", deployment.posture_of(chosen, where) or "lab")
        assembly = deployment.synth(chosen, values, where, progress)
    # With `--ci`, what it finds goes to standard output everywhere. The emulator's change sets know less of what will
    # be replaced than the CLI does by itself.
    how = ["--ci", *(["--method=template"] if target is TargetName.LOCAL else []), *(["--fail"] if fail else [])]
    raise typer.Exit(cdk.attached("diff", *(section.stack_id for section in chosen), "--app", assembly, *how))


def _deployed_of(sections: list[catalog.CatalogEntry], where: Target, progress: Progress) -> list[catalog.CatalogEntry]:
    deployed = [section for section in sections if deployment.described(section, where)]
    if not deployed:
        raise LabError(f"Nothing is deployed: `lab up{deployment.flag(where)}` does that; or name a section.")
    left = [section.id for section in sections if section not in deployed]
    if left:
        progress.note(f"Not deployed, so not looked at unless you name them: {', '.join(left)}")
    return deployed


def status(*, target: TargetOption = TargetName.LOCAL, json: Json = False) -> None:
    """Show what runs and what is deployed."""
    running = emulator.running() if target is TargetName.LOCAL else None
    where = choices.opened(target) if running or target is TargetName.AWS else None
    clusters = postgresql.clusters(where.session) if where and running else {}
    deployed = {entry.id: deployment.described(entry, where) for entry in catalog.SECTIONS} if where else {}
    is_known = where or not emulator_process.STATE.exists()
    nothing = "not deployed" if is_known else "unknown"
    states = {entry.id: (deployed.get(entry.id) or {}).get("StackStatus", nothing) for entry in catalog.SECTIONS}
    if json:
        emulated = {"pid": running.pid, "endpoint": running.endpoint} if running else None
        xray = xray_process.running() if running else None
        health = {"endpoint": xray.endpoint, "udp_port": xray.udp_port, **(xray.health() or {})} if xray else None
        new = [{"major": one.major, "image": one.image, "reason": one.reason} for one in postgresql.chosen()]
        servers = {"new_clusters": new, "clusters": clusters} if running else None
        print_json(
            {"target": target.value, "emulator": emulated, "xray": health, "postgresql": servers, "sections": states}
        )
        return
    if running:
        out.print(f"The emulator answers on {running.endpoint} (process {running.pid}).")
        _say_what_xray_received()
        for name, program in clusters.items():
            out.print(f"The PostgreSQL of {name}: {program}.")
        for one in postgresql.chosen():
            out.print(f"{postgresql.new_cluster(one)}.")
    elif target is TargetName.LOCAL:
        kept = "with the state that it had" if emulator_process.STATE.exists() else "and deploys to it"
        out.print(f"The emulator does not run; `lab up` starts it, {kept}.")
    print_table(["SECTION", "STACK"], list(states.items()))
    unfinished = [section for section, state in states.items() if state not in {nothing, *_WHOLE}]
    if where and unfinished:
        again = f"lab up {' '.join(unfinished)}{deployment.flag(where)}"
        err.print(f"Not whole: `{again}` goes on, if nobody is deploying it now.")


def _say_what_xray_received() -> None:
    xray = xray_process.running()
    health = xray.health() if xray else None
    if xray is None or health is None:
        out.print("X-Ray does not answer; `lab up` starts it again.")
        return
    counts = health["segments"]
    dropped = {**counts["dropped"], **({"lost": counts["lost"]} if counts["lost"] else {})}
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(dropped.items()))
    out.print(
        f"X-Ray receives segments on UDP port {xray.udp_port} (process {xray.pid}): {counts['stored']:,} since its "
        f"start, {f'dropped: {reasons}' if dropped else 'none dropped'}."
    )


def _say_what_still_runs() -> None:
    running = emulator.running()
    if running:
        out.print(
            f"\nThe emulator still runs on {running.endpoint}: "
            "`lab send`, `lab events`, `lab traces`, `lab logs` use it, `lab down` stops it."
        )
