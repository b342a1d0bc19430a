"""The section of Aurora: its presets, its instances of either kind, and what its next deployment keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, only, resources, synthesize

LAB = Form(catalog.section("aurora"), Posture.LAB)


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[LAB].template


def with_settings(**settings: str) -> dict[str, Any]:
    return synthesize({"section": "aurora", **settings})["aurora"].template


def classes(template: dict[str, Any]) -> list[str]:
    return [one["DBInstanceClass"] for one in resources(template, "AWS::RDS::DBInstance").values()]


def scaling(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = only(template, "AWS::RDS::DBCluster")["ServerlessV2ScalingConfiguration"]
    return found


def kept(template: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = json.loads(template["Outputs"]["Settings"]["Value"])
    return found


def test_by_default_it_is_for_development_and_scales_from_nothing(template: dict[str, Any]) -> None:
    assert scaling(template)["MinCapacity"] == 0
    assert classes(template) == ["db.serverless"]


def test_in_production_it_never_pauses_and_has_a_reader(synthesized_forms: dict[Form, Synthesized]) -> None:
    production = synthesized_forms[Form(LAB.entry, Posture.PRODUCTION)].template

    assert scaling(production)["MinCapacity"] == 1
    assert classes(production) == ["db.serverless", "db.serverless"]
    assert only(production, "AWS::RDS::DBCluster")["DeletionProtection"] is True


def test_a_preset_is_chosen_from_context() -> None:
    mixed = with_settings(preset="mixed")

    assert classes(mixed) == ["db.serverless"] * 3
    assert kept(mixed) == {"preset": "mixed"}


def test_an_unknown_preset_is_refused_with_the_permitted_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"dev-and-test, variable, multi-tenant, new, mixed"):
        with_settings(preset="cheap")


def test_instances_are_provisioned_with_a_class() -> None:
    provisioned = with_settings(instances="provisioned", instance_class="r8g.xlarge", preset="variable")

    assert classes(provisioned) == ["db.r8g.xlarge", "db.r8g.xlarge"]
    assert kept(provisioned) == {"instance_class": "r8g.xlarge", "instances": "provisioned", "preset": "variable"}


def test_a_class_for_which_there_is_no_data_api_is_refused() -> None:
    with pytest.raises(InvalidOptionsError, match=r"instances is t4g\.medium: no T class"):
        with_settings(instances="provisioned", instance_class="t4g.medium")


@pytest.mark.parametrize("instances", ["serverless,provisioned", "provisioned,serverless"])
def test_during_a_swap_both_kinds_are_there_under_their_own_names(template: dict[str, Any], instances: str) -> None:
    both = resources(with_settings(instances=instances), "AWS::RDS::DBInstance")
    before = resources(template, "AWS::RDS::DBInstance")
    after = resources(with_settings(instances="provisioned"), "AWS::RDS::DBInstance")

    assert set(both) == {*before, *after}
    for name, properties in {**before, **after}.items():
        # A change of any of these would replace or restart the instance.
        for unchanged in ("AvailabilityZone", "DBInstanceClass", "DBClusterIdentifier", "Engine"):
            assert both[name][unchanged] == properties[unchanged]


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no kind reserved\. .*The kinds are: serverless, provisioned\."):
        with_settings(instances="reserved")


def test_nothing_is_public_and_there_is_no_way_out(template: dict[str, Any]) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert not kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway"}
    assert all(one["PubliclyAccessible"] is False for one in resources(template, "AWS::RDS::DBInstance").values())


def test_outputs_are_what_others_need(template: dict[str, Any]) -> None:
    assert set(template["Outputs"]) == {
        "ApplicationSecretArn",
        "ClusterArn",
        "ClusterIdentifier",
        "DatabaseName",
        "MasterSecretArn",
        "Settings",
        "IamDatabaseUser",
    }
    assert kept(template) == {}
