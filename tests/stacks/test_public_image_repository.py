"""The public repository block: its page in the gallery, and what it refuses."""

from __future__ import annotations

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from lambda_src.public_image_repository.construct import PublicImageRepository
from tests.stacks.synthesis import CONTEXT, only

KIND = "AWS::ECR::PublicRepository"


def test_the_gallery_says_what_it_is_and_where_it_runs(stack: Stack) -> None:
    PublicImageRepository(stack, "Shop", description="A shop", usage="`docker run ...`")

    assert only(Template.from_stack(stack).to_json(), KIND)["RepositoryCatalogData"] == {
        "RepositoryDescription": "A shop",
        "UsageText": "`docker run ...`",
        "Architectures": ["ARM 64", "x86-64"],
        "OperatingSystems": ["Linux"],
    }


@pytest.mark.parametrize(
    ("posture", "deletion"), [(Posture.LAB, "Delete"), (Posture.PRODUCTION, "RetainExceptOnCreate")]
)
def test_posture_says_whether_it_goes_with_its_stack(stack: Stack, posture: Posture, deletion: str) -> None:
    PublicImageRepository(stack, "Shop", description="A shop", posture=posture)

    Template.from_stack(stack).has_resource(KIND, {"DeletionPolicy": deletion})


def test_impossible_options_are_refused_all_at_once(stack: Stack) -> None:
    with pytest.raises(InvalidOptionsError) as refused:
        PublicImageRepository(
            stack,
            "Shop",
            repository_name="Shop",
            description="a" * 1025,
            about="a" * 10_241,
            architectures=["arm64"],
            operating_systems=["linux"],
        )
    assert str(refused.value).splitlines() == [
        "PublicImageRepository Empty/Shop:",
        "  repository_name is Shop: 2 to 205 lower case letters and digits, with any of ._-/ between them",
        "  description is 1,025 characters: 1,024 at most",
        "  about is 10,241 characters: 10,240 at most",
        "  architectures is arm64: one of ARM, ARM 64, x86, x86-64",
        "  operating_systems is linux: one of Linux, Windows",
    ]


def test_a_region_without_amazon_ecr_public_is_refused() -> None:
    elsewhere = Stack(App(context=CONTEXT), "Elsewhere", env=Environment(region="eu-west-1"))

    with pytest.raises(InvalidOptionsError, match="region is eu-west-1: Amazon ECR Public is in us-east-1 alone"):
        PublicImageRepository(elsewhere, "Shop", description="A shop")
