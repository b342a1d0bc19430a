"""Options of every type are refused by name, and what only CloudFormation knows is left to it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import aws_cdk as cdk
import pytest

from lambda_src.options import Options


class Colour(Enum):
    """An enumeration that the CDK does not know."""

    RED = "red"


@pytest.mark.parametrize("value", ["red", 1, None, Colour.RED, Path("red"), ("red",), b"red", cdk.Duration.seconds(1)])
def test_whatever_the_value_is_its_option_is_named(value: object) -> None:
    options = Options()

    options.require(False, "colour", value, "green")

    assert options.problems == [f"colour is {value}: green"]


@pytest.mark.parametrize(
    "value",
    [cdk.Aws.REGION, cdk.Token.as_number(cdk.Aws.REGION), cdk.Fn.ref("Region")],
    ids=["a text", "a number", "a reference"],  # their own have the number of a token in them
)
def test_what_only_cloudformation_knows_is_left_to_it(value: object) -> None:
    options = Options()

    options.require(False, "colour", value, "green")

    assert options.problems == []
