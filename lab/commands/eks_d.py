"""Commands about EKS Distro: what is in a release, what changed, what a cluster runs, and how machines are set up."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lab.choices import Json
from lab.eks_d import comparison, configuration, releases
from lab.errors import UsageError
from lab.files import read_text
from lab.views.terminal import err, print_json, print_table

eks_d = typer.Typer(no_args_is_help=True, help="Releases of EKS Distro, the Kubernetes that Amazon EKS runs.")
render = typer.Typer(no_args_is_help=True, help="Write configuration that uses the images of a release.")
eks_d.add_typer(render, name="render")
Version = Annotated[
    str | None,
    typer.Option("--version", metavar="VERSION", help="A channel such as 1.36, its newest here; or 1-36-eks-7."),
]
Manifest = Annotated[
    str | None, typer.Option("--manifest", metavar="FILE", help="A release's manifest, which has the digests too.")
]
Mirror = Annotated[
    str | None, typer.Option(metavar="REGISTRY[/PATH]", help="Where the images of public.ecr.aws are mirrored.")
]


@eks_d.command()
def release(*, version: Version = None, manifest: Manifest = None, json: Json = False) -> None:
    """List a release: its components, their versions, images and digests.

    The two newest releases of each supported channel come with the project, as EKS Distro's documentation lists them.
    Any other is read from its manifest, which AWS publishes; digests and archives are in that alone.
    """
    found = _release(version, manifest)
    if json:
        print_json(found.as_json())
        return
    rows = [
        [component.name, component.version, image.uri, image.digest or "-"]
        for component in found.components
        for image in component.images
    ]
    print_table(["COMPONENT", "VERSION", "IMAGE", "DIGEST"], rows)
    archives = [archive for component in found.components for archive in component.archives]
    if archives:
        print_table(["ARCHIVE", "SHA-256"], [[one.uri, one.sha256 or "-"] for one in archives])
    if not any(image.digest for image in found.images):
        err.print(f"{found.name}: no digests are known from here. Its manifest is at {found.manifest_url}.")


@eks_d.command()
def compare(
    before: Annotated[str, typer.Argument(metavar="VERSION|FILE", help="A release, or a manifest's file.")],
    after: Annotated[str, typer.Argument(metavar="VERSION|FILE", help="Another one.")],
    *,
    json: Json = False,
) -> None:
    """Compare two releases: which components have another version, came, or went."""
    old, new = _named(before), _named(after)
    different = comparison.compare(old, new)
    if json:
        print_json({"before": old.name, "after": new.name, "differences": [one.as_json() for one in different]})
        return
    print_table(
        ["COMPONENT", old.name, new.name], [[one.component, one.before or "-", one.after or "-"] for one in different]
    )
    same = len(new.components) - sum(one.after is not None for one in different)
    err.print(f"{len(different)} components differ, {same} have the same version. Every image has a tag of its own.")


@eks_d.command()
def check(
    images: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="Images, one a line, or `kubectl get pods -A -o json` (or `nodes`); `-` reads it."
        ),
    ],
    *,
    version: Version = None,
    manifest: Manifest = None,
    json: Json = False,
) -> None:
    """Hold the images that a cluster runs against a release.

    Exit status 1 when one is of another release, or under a release's tag another than the release has. Digests are
    compared where the release has them, which is with `--manifest FILE`. Of a pod that runs, the digest is the one that
    its node started, whatever the tag says by now.
    """
    found = _release(version, manifest)
    checked = comparison.check(comparison.images_of(read_text(images), images), found)
    wrong = [one for one in checked if one.verdict in {comparison.Verdict.OTHER_RELEASE, comparison.Verdict.CHANGED}]
    if json:
        print_json({"release": found.name, "images": [one.as_json() for one in checked]})
    else:
        print_table(
            ["IMAGE", "IS", "EXPECTED"], [[one.image, one.verdict.value, one.expected or "-"] for one in checked]
        )
        ours = sum(one.verdict is comparison.Verdict.OF_THE_RELEASE for one in checked)
        err.print(
            f"{found.name}: {ours} of {len(checked)} images are of the release, {len(wrong)} should be and are not."
        )
        if any(one.verdict is comparison.Verdict.UNTOLD for one in checked):
            err.print(f"Those named by a digest: with --manifest FILE, from {found.manifest_url}.")
    raise typer.Exit(1 if wrong else 0)


@render.command()
def containerd(*, version: Version = None, manifest: Manifest = None, mirror: Mirror = None) -> None:
    """Write containerd's files: the pause container of the release, and where a mirror is."""
    for path, text in configuration.containerd(_release(version, manifest), mirror).items():
        err.print(f"[bold]{escape(path)}[/bold]")
        sys.stdout.write(text)
        sys.stdout.flush()


@render.command()
def kubeadm(
    *,
    version: Version = None,
    manifest: Manifest = None,
    mirror: Mirror = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Of the control plane, where it has more than one machine.")
    ] = None,
) -> None:
    """Write kubeadm's configuration, as `kubeadm init --config FILE` takes it."""
    sys.stdout.write(configuration.kubeadm(_release(version, manifest), endpoint=endpoint, mirror=mirror))


def _release(version: str | None, manifest: str | None) -> releases.Release:
    if (version is None) == (manifest is None):
        raise UsageError("Say which release: --version 1.36, or --manifest FILE.")
    return releases.read(read_text(manifest), manifest) if manifest is not None else releases.find(str(version))


def _named(release: str) -> releases.Release:
    return releases.read(read_text(release), release) if Path(release).is_file() else releases.find(release)
