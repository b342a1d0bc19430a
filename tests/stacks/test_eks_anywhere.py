"""The section of clusters outside AWS: what an agent may do, and which registry curated packages come from."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from lab_stacks import catalog
from lambda_src.curated_packages_policy.construct import CuratedPackagesPolicy
from lambda_src.curated_packages_policy.registries import ACCOUNTS
from lambda_src.eks_connector_role.construct import EksConnectorRole
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, only

LAB = Form(catalog.section("eks-anywhere"), Posture.LAB)
PACKAGES = Form(LAB.entry, Posture.LAB, "packages")


def statements(form: Form, synthesized_forms: dict[Form, Synthesized]) -> list[dict[str, Any]]:
    [policy] = only(synthesized_forms[form].template, "AWS::IAM::Role")["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


@pytest.mark.parametrize("name", ["", "-factory", "a b", "*", "f" * 101])
def test_what_cannot_be_a_cluster_s_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidOptionsError, match="cluster_names is"):
        EksConnectorRole(cdk.Stack(), "Connector", cluster_names=["factory", name])


@pytest.mark.parametrize("region", ["", "us-west-3", "*"])
def test_a_region_that_sells_no_subscription_is_refused(region: str) -> None:
    with pytest.raises(InvalidOptionsError, match=r"region is .*one of af-south-1"):
        CuratedPackagesPolicy(cdk.Stack(), "Packages", region=region)


def test_the_agent_is_taken_on_by_systems_manager_alone(synthesized_forms: dict[Form, Synthesized]) -> None:
    [trust] = only(synthesized_forms[LAB].template, "AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Principal"] == {"Service": "ssm.amazonaws.com"}


def test_the_agent_opens_channels_and_does_nothing_else(synthesized_forms: dict[Form, Synthesized]) -> None:
    control, data = statements(LAB, synthesized_forms)

    assert control["Action"] == "ssmmessages:CreateControlChannel"
    assert control["Resource"]["Fn::Join"][1][-1] == ":cluster/*"
    assert {action.partition(":")[0] for action in data["Action"]} == {"ssmmessages"}


def test_clusters_that_are_named_are_the_only_ones(synthesized_forms: dict[Form, Synthesized]) -> None:
    control, _ = statements(PACKAGES, synthesized_forms)

    assert [resource["Fn::Join"][1][-1] for resource in control["Resource"]] == [
        ":cluster/factory",
        ":cluster/warehouse",
    ]


def test_packages_are_asked_for_and_read_from_one_registry(synthesized_forms: dict[Form, Synthesized]) -> None:
    assert not [
        one for one in synthesized_forms[LAB].template["Resources"].values() if one["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    policy = only(synthesized_forms[PACKAGES].template, "AWS::IAM::ManagedPolicy")
    pull, log_in = policy["PolicyDocument"]["Statement"]

    assert pull["Resource"]["Fn::Join"][1][-1] == f":ecr:us-west-2:{ACCOUNTS['us-west-2']}:repository/*"
    assert not [
        action
        for action in pull["Action"]
        if not action.startswith(("ecr:Batch", "ecr:Get", "ecr:Describe", "ecr:List"))
    ]
    assert log_in["Action"] == "ecr:GetAuthorizationToken"
