"""Writes the manifests of the web image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import UsageError

if TYPE_CHECKING:
    from lab.deployment import Deployment
    from lambda_src.web_workload.fargate_logs import FargateLogs

NAME = "web"
#: What the section's cluster has by default.
VERSION = "1.35"


def rendered(image: str, *, namespace: str = "web", logs: FargateLogs | None = None) -> str:
    """Write the manifests for ``image``, as YAML documents; cdk8s runs on the Node.js that is first on the path."""
    # Slow to load, and no other command needs them.
    import cdk8s  # noqa: PLC0415

    from lambda_src.web_workload.construct import WebWorkload  # noqa: PLC0415

    app = cdk8s.App()
    WebWorkload(app, NAME, image=image, namespace=namespace, fargate_logs=logs)
    return str(app.synth_yaml())


def of_image(image: str) -> str:
    """Write the manifests for an image that somebody names.

    :raises UsageError: for one that is not pinned.
    """
    from lambda_src.options import InvalidOptionsError  # noqa: PLC0415 - loads the CDK

    try:
        return rendered(image)
    except InvalidOptionsError as error:
        raise UsageError(f"--image {image}: {error}") from None


def of_section(deployed: Deployment) -> str:
    """Write the manifests for the image, the namespace and the log group of a deployed section."""
    from lambda_src.web_workload.fargate_logs import FargateLogs  # noqa: PLC0415

    group = deployed.outputs.get("PodLogGroupName")
    logs = FargateLogs(group, deployed.target.session.region_name) if group else None
    return rendered(deployed.output("ImageUri"), namespace=deployed.output("Namespace"), logs=logs)
