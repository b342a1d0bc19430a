"""A container image with a small web server, whose page says which task answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs

from lambda_src.options import checked
from lambda_src.web_image import RUNTIME

if TYPE_CHECKING:
    from constructs import Construct

_ARCHITECTURES = {"linux/amd64": ecs.CpuArchitecture.X86_64, "linux/arm64": ecs.CpuArchitecture.ARM64}
_NAME = r"[\w.-]+(:\d+)?(/[\w.-]+)*"
# A digest pins whatever the tag before it is: that says for people which one it was.
_PINNED = rf"{_NAME}(:(?!latest$)[\w.-]{{1,128}}|(:[\w.-]{{1,128}})?@sha256:[0-9a-f]{{64}})"


class WebImage(ecr_assets.DockerImageAsset):
    """An image of 4 MB, built when the stack is deployed, and pushed to the registry that the CDK has in the account.

    Its server runs as a user who is not root, writes to no file, logs to stdout and stderr as JSON, and ends at once
    when it is told to: it runs on a read-only root file system, with no capability. The page at ``/`` says which task
    of Amazon ECS answered, or else which host; whoever accepts ``application/json`` gets that as an object.

    :param platform: what it runs on: ``LINUX_AMD64`` by default, or ``LINUX_ARM64``, the cheaper on AWS Fargate. The
        task definition has to say the same: ``cpu_architecture``.
    :param base_image: what it is built on, any image for that platform, with the tag or the digest that pins it, or
        both; by default the one that the server comes with, which has nothing else in it.
    :param busybox_image: where the server comes from: an image with a static BusyBox at ``/bin/busybox``; by default
        the one that the ``Dockerfile`` names, from Amazon ECR Public.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-considerations.html
    """

    #: Where the server listens.
    PORT: ClassVar[int] = 8080
    #: What a load balancer asks for; it answers 200.
    HEALTH_PATH: ClassVar[str] = "/health.txt"
    #: The same as a container's own health check, as Amazon ECS takes it.
    HEALTH_COMMAND: ClassVar[list[str]] = ["CMD", "/usr/local/bin/serve", "--check"]
    #: The environment variable for a secret, which the page can prove to know: ``/?challenge=TEXT``.
    SECRET_VARIABLE: ClassVar[str] = "WEB_SECRET"  # noqa: S105 - its name

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: ecr_assets.Platform = ecr_assets.Platform.LINUX_AMD64,
        base_image: str | None = None,
        busybox_image: str | None = None,
    ) -> None:
        """Check the options, then name the folder that the image is built from."""
        bases = {"BASE_IMAGE": base_image, "BUSYBOX_IMAGE": busybox_image}
        with checked(WebImage, scope, construct_id) as options:
            known = platform.platform in _ARCHITECTURES
            options.require(known, "platform", platform.platform, " or ".join(_ARCHITECTURES))
            for name, image in bases.items():
                pinned = image is None or re.fullmatch(_PINNED, image) is not None
                options.require(pinned, name.lower(), image, "an image with its tag, not latest, or its digest")
        super().__init__(
            scope,
            construct_id,
            directory=str(RUNTIME),
            platform=platform,
            build_args={name: image for name, image in bases.items() if image} or None,
        )
        #: The platform as a task definition has it.
        self.cpu_architecture: ecs.CpuArchitecture = _ARCHITECTURES[platform.platform]
