"""Commands about container images: what a lifecycle policy would do to them, and what was found in them."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from lab import choices
from lab.choices import Json, TargetOption
from lab.ecr import documents
from lab.ecr import findings as scans
from lab.ecr import images as described
from lab.ecr import preview as previews
from lab.errors import LabError, UsageError
from lab.target import TargetName
from lab.views.terminal import err, out, print_json, print_table, steps
from lambda_src.image_repository.lifecycle.evaluation import Image

ecr = typer.Typer(no_args_is_help=True, help="Try a lifecycle policy, and read what scans found in images.")


@ecr.command()
def preview(
    *,
    policy: Annotated[str, typer.Option(metavar="FILE", help="Lifecycle policy, as AWS takes it; `-` reads it.")],
    images: Annotated[
        str,
        typer.Option(
            metavar="FILE|REPOSITORY",
            help="A file with what `aws ecr describe-images` prints (`-` reads it), or a repository's name.",
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="As if it were then, such as 2026-01-31T12:00:00Z; now by default."),
    ] = None,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """Show which images a lifecycle policy would expire or archive, which it keeps, and why; nothing is changed.

    A policy that AWS would refuse is refused, with everything that is wrong with it. With `--target aws` and the name
    of a repository, AWS previews the same policy too, and the exit status is 1 where the two differ.

    `lab ecr preview --policy policy.json --images my-repository`, or, before there is a repository,
    `aws ecr describe-images --repository-name another | lab ecr preview --policy policy.json --images -`.
    """
    is_file = _is_file(images)
    if policy == images == documents.STDIN:
        raise UsageError("--policy and --images are both `-`: only one of them can be read from standard input.")
    if target is TargetName.AWS and (is_file or at):
        raise UsageError("--target aws compares with AWS's own preview, of a repository and of now: leave --at out.")
    document = documents.read(policy)
    made = previews.checked(document, policy)
    when = _time(at)
    client = None
    if is_file:
        found = described.read(documents.read(images), images)
    else:
        client, found = _of_repository(images, target)
    shown = previews.preview(made, found, when)
    different = None
    if client is not None and target is TargetName.AWS:
        with steps() as progress:
            progress.waiting_for("Waiting for AWS's own preview")
            different = previews.differences(shown, previews.of_aws(client, images, document))
    if json:
        compared = {} if different is None else {"differences": [one.as_json() for one in different]}
        print_json({**shown.as_json(), **compared})
    else:
        _print(shown, different)
    raise typer.Exit(1 if different else 0)


@ecr.command()
def findings(
    image: Annotated[str, typer.Argument(metavar="REPOSITORY[:TAG|@DIGEST]", help="Which image; `latest` by default.")],
    *,
    target: TargetOption = TargetName.LOCAL,
    json: Json = False,
) -> None:
    """Show what a scan found in an image, the worst first, and how much of each severity.

    Basic scanning and the enhanced one of Amazon Inspector are read alike. Nothing scans images on the emulator, so
    this is for `--target aws`.
    """
    repository, identifier = scans.image_of(image)
    if target is not TargetName.AWS:
        raise LabError("AWS only: the emulator scans no images. Say --target aws for an image that is there.")
    with steps() as progress:
        progress.waiting_for("Reading the findings")
        scan = scans.of_image(choices.opened(target).session.client("ecr"), repository, identifier)
    if json:
        print_json(scan.as_json())
        return
    if scan.findings:
        print_table(
            ["SEVERITY", "NAME", "PACKAGE", "VERSION", "FIXED IN"],
            [[one.severity, one.name, one.package, one.version, one.fixed_in] for one in scan.findings],
        )
    counted = ", ".join(f"{number:,} {severity}" for severity, number in scan.counts.items())
    err.print(f"{image}, {scan.kind} scanning, {scan.status}: {counted or 'nothing found'}.")


def _time(at: str | None) -> datetime:
    if at is None:
        return datetime.now(timezone.utc)
    try:
        return described.moment(at)
    except (ValueError, OverflowError):
        raise UsageError(f"--at {at}: a time such as 2026-01-31T12:00:00Z.") from None


def _is_file(images: str) -> bool:
    if images == documents.STDIN or images.endswith(".json") or Path(images).is_file():
        return True
    if described.NAME.fullmatch(images) is None:
        raise UsageError(f"--images {images} is neither a file nor the name of a repository.")
    return False


def _of_repository(name: str, target: TargetName) -> tuple[Any, list[Image]]:
    client = choices.opened(target).session.client("ecr")
    with steps() as progress:
        progress.waiting_for(f"Describing the images of {name}")
        return client, described.of_repository(client, name)


def _print(shown: previews.Preview, different: list[previews.Difference] | None) -> None:
    for warning in shown.warnings:
        err.print(f"[yellow]![/yellow] {escape(warning)}")
    rows = [
        [
            one.image.digest.removeprefix("sha256:")[:12],
            ", ".join(one.image.tags) or "-",
            f"{one.image.pushed_at:%Y-%m-%d %H:%M}",
            previews.OUTCOMES[one.action],
            one.reason,
        ]
        for one in shown.decisions
    ]
    if rows:
        print_table(["IMAGE", "TAGS", "PUSHED", "OUTCOME", "WHY"], rows)
    err.print(
        f"{len(rows):,} images: {shown.count('expire'):,} expire, {shown.count('transition'):,} are archived, "
        f"{shown.count(None):,} stay."
    )
    if different is not None:
        for one in different:
            out.print(f"[red]{one.digest}[/red]: AWS says {one.aws or 'stays'}, we say {one.ours or 'stays'}.")
        err.print(
            f"AWS's own preview differs in {len(different):,} images." if different else "AWS's own preview agrees."
        )
