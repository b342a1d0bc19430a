"""Commands for Kubernetes on Amazon EKS."""

import os
from typing import Annotated

import typer

from lab import choices, deployment
from lab.choices import Json, TargetOption
from lab.errors import LabError
from lab.files import read_text
from lab.isolation import quiet_cdk
from lab.kubernetes import manifests
from lab.target import TargetName
from lab.views.terminal import out, print_json
from lab_stacks import catalog

eks = typer.Typer(no_args_is_help=True, help="Write and check what Kubernetes is told.")

Version = Annotated[
    str, typer.Option("--kubernetes-version", help="Major and minor, such as 1.35: whose schemas are asked.")
]


@eks.command("manifests")
def print_manifests(
    *,
    target: TargetOption = TargetName.LOCAL,
    image: Annotated[
        str | None, typer.Option(help="The image with its tag or digest; by default the one that is deployed.")
    ] = None,
    kubernetes_version: Version = manifests.VERSION,
) -> None:
    """Print the web image's manifests, for `kubectl apply -f -`.

    With the section deployed, they name its image and its log group. They are checked before they are printed.
    """
    from lab.kubernetes import validation  # noqa: PLC0415 - reads YAML: not for `lab --help`

    if image is not None:
        # No target has settled it: any Node.js of the machine's would speak up about its age.
        os.environ["PATH"] = quiet_cdk(os.environ)["PATH"]
        text = manifests.of_image(image)
    else:
        deployed = deployment.find(catalog.section("eks"), choices.opened(target))
        kubernetes_version = deployed.output("KubernetesVersion")
        text = manifests.of_section(deployed)
    problems = validation.problems(text, kubernetes_version)
    if problems:
        raise LabError("The manifests are not as Kubernetes wants them:\n" + "\n".join(map(str, problems)))
    print(text, end="")


@eks.command()
def validate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Manifests, one YAML document or many; `-` reads it.")],
    *,
    kubernetes_version: Version = manifests.VERSION,
    json: Json = False,
) -> None:
    """Check manifests: against the schemas of a Kubernetes version, and by restricted Pod Security.

    Points at the line of what is wrong: a field that the version does not have, a key that is given twice, a pod that
    may do too much. What is in a list (`kind: List`) is checked one by one. Needs no cluster. The exit status is 1 if
    anything is wrong.
    """
    from lab.kubernetes import validation  # noqa: PLC0415 - as above

    found = validation.problems(read_text(file), kubernetes_version)
    if json:
        print_json({"kubernetes": kubernetes_version, "problems": [problem.as_json() for problem in found]})
        raise typer.Exit(1 if found else 0)
    for problem in found:
        out.print(f"{file}:{problem}", markup=False, highlight=False, soft_wrap=True)
    if found:
        raise typer.Exit(1)
    out.print(f"{file}: well, for Kubernetes {kubernetes_version} and restricted pods.", markup=False)
