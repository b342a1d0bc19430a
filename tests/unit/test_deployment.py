"""A deployment asks for the values that nobody has given, before anything is made."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from lab import deployment
from lab.errors import UsageError
from lab_stacks import catalog

if TYPE_CHECKING:
    from pathlib import Path

    from lab.target import Target

FARGATE = catalog.section("fargate")
GIVEN = [{"ParameterKey": "CertificateArn", "ParameterValue": "an ARN"}]


def require(assembly: Path, stack: dict[str, Any] | None, **parameter: str) -> None:
    """Ask for the values of a template with one parameter, where there is such a stack."""
    template = {"Parameters": {"CertificateArn": {"Type": "String", **parameter}}}
    (assembly / "Fargate.template.json").write_text(json.dumps(template))
    absent = ClientError({"Error": {"Code": "ValidationError", "Message": "it does not exist"}}, "DescribeStacks")
    client = Mock()
    client.describe_stacks.side_effect = absent if stack is None else [{"Stacks": [stack]}]
    target = SimpleNamespace(session=SimpleNamespace(client=lambda _: client))
    deployment._require_parameters(FARGATE, assembly, cast("Target", target))


def test_what_asks_says_itself_how_a_value_is_given(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^fargate needs a value for CertificateArn \(a certificate: give -c x=ARN\); "
    ):
        require(tmp_path, None, Description="a certificate: give -c x=ARN")


def test_a_parameter_without_a_description_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^fargate needs a value for CertificateArn; docs/sections/fargate\.md "):
        require(tmp_path, None)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_is_made_anew_keeps_no_value(tmp_path: Path, status: str) -> None:
    with pytest.raises(UsageError, match="CertificateArn"):
        require(tmp_path, {"StackStatus": status, "Parameters": GIVEN})


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_is_updated_keeps_its_value(tmp_path: Path, status: str) -> None:
    require(tmp_path, {"StackStatus": status, "Parameters": GIVEN})


def test_a_default_is_a_value(tmp_path: Path) -> None:
    require(tmp_path, None, Default="an ARN")
