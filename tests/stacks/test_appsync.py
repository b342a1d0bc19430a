"""The section of AppSync: what its functions and its sources may do with the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lab_stacks import catalog
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, permissions, resources

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[Form(catalog.section("appsync"), Posture.LAB)].template


def readers(template: Mapping[str, Any], secret: str) -> list[str]:
    """Find the roles that may read a secret, of which this is a part of the reference."""
    roles = resources(template, "AWS::IAM::Role")
    return sorted(role for role in roles if secret in json.dumps(permissions(template, role)))


def test_only_what_makes_the_schema_may_be_the_master(template: dict[str, Any]) -> None:
    [role] = readers(template, "MasterUserSecret")

    assert role.startswith("SchemaFunctionRole")


def test_what_reads_orders_is_the_application(template: dict[str, Any]) -> None:
    names = [role.partition("Role")[0] for role in readers(template, "ApplicationSecret")]

    assert names == ["ApiOrders", "SchemaFunction", "Selling"]
