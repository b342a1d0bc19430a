"""A deployment asks for values that nobody has given, and refuses edited migrations, before anything is made."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from lab import deployment
from lab.errors import LabError, UsageError
from lab_stacks import catalog

if TYPE_CHECKING:
    from pathlib import Path

    from lab.target import Target

FARGATE = catalog.section("fargate")
AURORA = catalog.section("aurora")
GIVEN = [{"ParameterKey": "CertificateArn", "ParameterValue": "an ARN"}]


def require(assembly: Path, stack: dict[str, Any] | None, **parameter: str) -> None:
    """Ask for the values of a template with one parameter, where there is such a stack."""
    template = {"Parameters": {"CertificateArn": {"Type": "String", **parameter}}}
    (assembly / "Fargate.template.json").write_text(json.dumps(template))
    deployment._require_parameters(FARGATE, assembly, having(stack))


def having(stack: dict[str, Any] | None, template: dict[str, Any] | None = None) -> Target:
    """Have a target with this stack, or without one."""
    absent = ClientError({"Error": {"Code": "ValidationError", "Message": "it does not exist"}}, "DescribeStacks")
    client = Mock()
    client.describe_stacks.side_effect = absent if stack is None else [{"Stacks": [stack]}]
    client.get_template.return_value = {"TemplateBody": template}
    return cast("Target", SimpleNamespace(session=SimpleNamespace(client=lambda _: client)))


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


def migrating(**migrations: str) -> dict[str, Any]:
    """Make a template with migrations, named by a number and a word, and their checksums."""
    named = {f"{name.removeprefix('n')}.sql": checksum for name, checksum in migrations.items()}
    return {"Resources": {"Schema": {"Type": "Custom::SchemaMigrations", "Properties": {"Migrations": named}}}}


def require_unedited(
    assembly: Path, deployed: dict[str, Any] | None, synthesized: dict[str, Any], status: str = "UPDATE_COMPLETE"
) -> None:
    """Deploy one template where another is."""
    (assembly / "Aurora.template.json").write_text(json.dumps(synthesized))
    stack = None if deployed is None else {"StackStatus": status}
    deployment._require_migrations_unedited(AURORA, assembly, having(stack, deployed))


RAN = migrating(n0001_one="a", n0002_two="b")


def test_migrations_that_were_edited_after_they_ran_are_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LabError) as refused:
        require_unedited(tmp_path, RAN, migrating(n0001_one="edited", n0002_renamed="edited", n0003_three="c"))
    assert str(refused.value) == (
        "0001_one.sql, 0002_renamed.sql: edited after it ran in aurora. Put the old text back, and write the change "
        "into a new file."
    )


@pytest.mark.parametrize(
    "synthesized",
    [
        pytest.param(RAN, id="nothing changed"),
        pytest.param(migrating(n0001_one="a", n0002_two="b", n0003_three="c"), id="one is new"),
        pytest.param(migrating(n0001_one="a"), id="an older checkout"),
        pytest.param(migrating(n0001_other="a", n0002_two="b"), id="one has another name"),
        pytest.param({"Resources": {}}, id="nothing migrates any more"),
    ],
)
def test_what_is_no_edit_is_deployed(tmp_path: Path, synthesized: dict[str, Any]) -> None:
    require_unedited(tmp_path, RAN, synthesized)


def test_where_nothing_ran_every_text_is_new(tmp_path: Path) -> None:
    require_unedited(tmp_path, None, RAN)
    require_unedited(tmp_path, migrating(n0001_one="failed"), RAN, status="ROLLBACK_COMPLETE")
    require_unedited(tmp_path, {"Resources": {}}, RAN)


def test_an_edited_migration_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Aurora.template.json").write_text(json.dumps(migrating(n0001_one="edited")))
    monkeypatch.setattr(deployment, "LAB", tmp_path)
    monkeypatch.setattr(deployment, "synth", lambda *_: str(tmp_path))
    monkeypatch.setattr(deployment, "_require_parameters", lambda *_: None)
    run = Mock()
    monkeypatch.setattr(deployment.cdk, "run", run)
    target = Mock(session=having({"StackStatus": "CREATE_COMPLETE"}, RAN).session)
    target.name.value = "local"

    with pytest.raises(LabError, match=r"0001_one\.sql: edited after it ran in aurora"):
        deployment.deploy([AURORA], {}, target, Mock())
    target.supply.assert_not_called()
    run.assert_not_called()
