"""The web image block: what is built, for what, and on what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk.assertions import Template

from lambda_src.options import InvalidOptionsError
from lambda_src.web_image import RUNTIME
from lambda_src.web_image.construct import WebImage
from tests.stacks.synthesis import CONTEXT, only

if TYPE_CHECKING:
    from pathlib import Path


def built(folder: Path, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the cloud assembly says of the image, and of a task that runs it."""
    app = App(context=CONTEXT, analytics_reporting=False, outdir=str(folder))
    stack = Stack(app, "Web")
    image = WebImage(stack, "Image", **options)
    platform = ecs.RuntimePlatform(cpu_architecture=image.cpu_architecture)
    task = ecs.FargateTaskDefinition(stack, "Task", runtime_platform=platform)
    task.add_container("Web", image=ecs.ContainerImage.from_docker_image_asset(image))
    app.synth()
    [made] = json.loads((folder / "Web.assets.json").read_text())["dockerImages"].values()
    return made["source"], only(Template.from_stack(stack).to_json(), "AWS::ECS::TaskDefinition")


def test_by_default_it_runs_on_x86_and_on_the_base_that_the_dockerfile_names(tmp_path: Path) -> None:
    source, task = built(tmp_path)

    assert source["platform"] == "linux/amd64"
    assert "dockerBuildArgs" not in source
    assert task["RuntimePlatform"] == {"CpuArchitecture": "X86_64"}


def test_it_is_built_for_arm_on_a_base_that_is_given(tmp_path: Path) -> None:
    base = "example.com:5000/a/base:1.2"
    source, task = built(tmp_path, platform=ecr_assets.Platform.LINUX_ARM64, base_image=base)

    assert source["platform"] == "linux/arm64"
    assert source["dockerBuildArgs"] == {"BASE_IMAGE": base}
    assert task["RuntimePlatform"] == {"CpuArchitecture": "ARM64"}


def test_everything_that_is_wrong_is_said_at_once(stack: Stack) -> None:
    with pytest.raises(InvalidOptionsError) as refused:
        WebImage(
            stack,
            "Image",
            platform=ecr_assets.Platform.custom("linux/s390x"),
            base_image="alpine",
            busybox_image="busybox:latest",
        )

    assert str(refused.value).splitlines() == [
        "WebImage Empty/Image:",
        "  platform is linux/s390x: linux/amd64 or linux/arm64",
        "  base_image is alpine: an image with its tag, not latest, or its digest",
        "  busybox_image is busybox:latest: an image with its tag, not latest, or its digest",
    ]


DIGEST = f"sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    "image",
    [
        "example.com:5000/a/base:1.2",
        f"base@{DIGEST}",
        f"example.com:5000/a/base:1.2@{DIGEST}",
        f"base:latest@{DIGEST}",  # the digest pins it
    ],
)
def test_a_tag_or_a_digest_or_both_pin_an_image(tmp_path: Path, image: str) -> None:
    source, _ = built(tmp_path, base_image=image)

    assert source["dockerBuildArgs"] == {"BASE_IMAGE": image}


@pytest.mark.parametrize(
    "image",
    [
        "base",
        "base:latest",
        "example.com:5000/base",
        f"base:1.2@{DIGEST[:-1]}",
        f"base:@{DIGEST}",
        f"base@{DIGEST}:1.2",
        "base:1.2@",
    ],
)
def test_an_image_that_nothing_pins_is_refused(stack: Stack, image: str) -> None:
    with pytest.raises(InvalidOptionsError, match="an image with its tag, not latest, or its digest"):
        WebImage(stack, "Image", base_image=image)


def test_what_the_dockerfile_names_is_pinned() -> None:
    named = [line for line in (RUNTIME / "Dockerfile").read_text().splitlines() if line.startswith("ARG ")]

    assert named == [
        "ARG BUSYBOX_IMAGE=public.ecr.aws/docker/library/busybox:1.37.0-musl",
        "ARG BASE_IMAGE=${BUSYBOX_IMAGE}",
    ]
