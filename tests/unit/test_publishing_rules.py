"""What the repository takes is taken, what it refuses is refused, and a template asks for what AWS asks for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.published_application.listed import AS_OF, unlisted
from lambda_src.published_application.rules import (
    CAPABILITIES,
    broken,
    capabilities,
    code_locations,
    is_application_id,
    is_version,
    missing_for_the_public,
)

GOOD = {"Name": "My-App", "Author": "some-body", "Description": "It does.", "SemanticVersion": "1.0.0"}


def template(*resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"Resources": {f"R{n}": {"Type": kind, "Properties": one} for n, (kind, one) in enumerate(resources)}}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Name": "x" * 140},
        {"Author": "a"},
        {"Author": "a" * 127},
        {"Description": "x" * 256},
        {"Labels": ["a+b", "c:d/e@f", "g_h-i"]},
        {"SpdxLicenseId": "Apache-2.0", "LicenseUrl": "LICENSE"},
        {"SemanticVersion": None},
        {"HomePageUrl": "https://example.com/a", "SourceCodeUrl": "http://example.com"},
    ],
)
def test_what_is_permitted_is_no_problem(changed: dict[str, Any]) -> None:
    assert list(broken({**GOOD, **changed})) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Name", ""),
        ("Name", None),
        ("Name", "x" * 141),
        ("Name", "a_b"),
        ("Name", "a\n"),
        ("Author", "-a"),
        ("Author", "a-"),
        ("Author", "a" * 128),
        ("Author", None),
        ("Description", ""),
        ("Description", None),
        ("Labels", ["a", ""]),
        ("Labels", ["x" * 128]),
        ("SemanticVersion", "v1.0.0"),
        ("SpdxLicenseId", "the MIT licence"),
        ("HomePageUrl", "javascript:alert(1)"),
        ("SourceCodeUrl", "github.com/somebody"),
    ],
)
def test_what_is_not_is_named_with_its_value(name: str, value: object) -> None:
    assert [problem[0] for problem in broken({**GOOD, name: value})] == [name]


def test_a_licence_has_an_identifier_too() -> None:
    assert [problem[0] for problem in broken({**GOOD, "LicenseUrl": "LICENSE"})] == ["SpdxLicenseId"]


# From the page of Semantic Versioning.
@pytest.mark.parametrize(
    "text", ["0.0.4", "1.2.3-alpha.1", "1.0.0-0A.is.legal", "1.0.0+build.1", "1.0.0--", "1.0.0-rc.1+b"]
)
def test_semantic_versions(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize(
    "text", ["1", "1.2", "01.1.1", "1.2.3-01", "1.2.3-", "1.2.3+", "1.2.3.4", "1.0.0 ", "1.0.0-a..b", "\u0661.0.0"]
)
def test_no_semantic_versions(text: str) -> None:
    assert not is_version(text)


@given(st.tuples(*[st.integers(min_value=0)] * 3))
def test_three_numbers_are_a_version_and_with_another_zero_none(numbers: tuple[int, int, int]) -> None:
    assert is_version(".".join(map(str, numbers)))
    assert not is_version(".".join(f"0{number}" for number in numbers))


def test_an_application_id_is_an_arn() -> None:
    assert is_application_id("arn:aws-cn:serverlessrepo:cn-north-1:111122223333:applications/a-b")
    for text in (
        "a-b",
        "arn:aws:lambda:us-east-1:111122223333:applications/a",
        "arn:aws:serverlessrepo:us-east-1:1:applications/a",
    ):
        assert not is_application_id(text)


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        (("AWS::SQS::Queue", {}), []),
        (("AWS::IAM::Role", {}), ["CAPABILITY_IAM"]),
        (("AWS::IAM::Role", {"RoleName": "admin"}), ["CAPABILITY_NAMED_IAM"]),
        (("AWS::IAM::Policy", {"PolicyName": "any"}), ["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"]),
        (("AWS::Serverless::Function", {}), ["CAPABILITY_IAM"]),
        (("AWS::Serverless::Function", {"Role": "arn"}), []),
        (("AWS::SQS::QueuePolicy", {}), ["CAPABILITY_RESOURCE_POLICY"]),
        (("AWS::S3::BucketPolicy", {}), ["CAPABILITY_RESOURCE_POLICY"]),
        (("AWS::Serverless::Application", {}), ["CAPABILITY_AUTO_EXPAND"]),
    ],
)
def test_a_template_asks_for_what_its_resources_do(resource: tuple[str, dict[str, Any]], wanted: list[str]) -> None:
    assert capabilities(template(resource)) == wanted
    assert set(wanted) <= CAPABILITIES.keys()


def test_a_role_with_a_name_is_more_than_one_without() -> None:
    both = template(("AWS::IAM::Role", {}), ("AWS::IAM::Group", {"GroupName": "admins"}))
    assert capabilities(both) == ["CAPABILITY_NAMED_IAM"]


def test_a_type_that_the_list_is_not_known_to_have_is_named_once_with_its_resources() -> None:
    mixed = template(
        ("AWS::SQS::Queue", {}),
        ("AWS::DynamoDB::GlobalTable", {}),
        ("AWS::Serverless::Function", {}),
        ("AWS::DynamoDB::GlobalTable", {}),
        ("Custom::Thing", {}),
    )
    tables, custom = unlisted(mixed)
    assert tables.startswith("AWS::DynamoDB::GlobalTable (R1, R3) is not among")
    assert AS_OF in tables
    assert custom.startswith("Custom::Thing (R4)")


def test_code_is_where_functions_and_layers_say() -> None:
    made = template(
        ("AWS::Serverless::Function", {"CodeUri": "a"}),
        ("AWS::Serverless::LayerVersion", {"ContentUri": "b"}),
        ("AWS::Serverless::Function", {"InlineCode": "def handler(): ..."}),
        ("AWS::Lambda::Function", {"Code": "c"}),
    )
    assert code_locations(made) == {"R0": "a", "R1": "b"}


def test_what_everybody_may_see_has_a_version_and_a_licence() -> None:
    assert missing_for_the_public({"LicenseUrl": "x", "SpdxLicenseId": "MIT"}, "1.0.0") == []
    assert len(missing_for_the_public({}, None)) == 3
