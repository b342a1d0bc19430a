"""The section eks: what its stack makes of the context."""

from __future__ import annotations

from typing import Any

import pytest

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, only, resources, synthesize

LAB = Form(catalog.section("eks"), Posture.LAB)


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[LAB].template


def test_the_workloads_namespace_is_one_of_the_fargate_profile(template: dict[str, Any]) -> None:
    selected = [one["Namespace"] for one in only(template, "AWS::EKS::FargateProfile")["Selectors"]]

    assert template["Outputs"]["Namespace"]["Value"] in selected


def test_the_endpoints_are_there_before_the_cluster(template: dict[str, Any]) -> None:
    [cluster] = [one for one in template["Resources"].values() if one["Type"] == "AWS::EKS::Cluster"]
    interfaces = {
        name for name, one in resources(template, "AWS::EC2::VPCEndpoint").items() if "SecurityGroupIds" in one
    }

    assert interfaces
    assert interfaces <= set(cluster["DependsOn"])


def test_production_reaches_the_internet_and_outlives_its_stack(synthesized_forms: dict[Form, Synthesized]) -> None:
    production = synthesized_forms[Form(LAB.entry, Posture.PRODUCTION)].template

    assert resources(production, "AWS::EC2::NatGateway")
    assert only(production, "AWS::EKS::Cluster")["DeletionProtection"] is True


def test_auto_mode_has_no_profile_and_says_who_may_use_it(synthesized_forms: dict[Form, Synthesized]) -> None:
    auto = synthesized_forms[Form(LAB.entry, Posture.LAB, "auto-mode")].template

    assert not resources(auto, "AWS::EKS::FargateProfile")
    assert only(auto, "AWS::EKS::AccessEntry")["PrincipalArn"] == "arn:aws:iam::111122223333:role/Admin"
    assert "PodLogGroupName" not in auto["Outputs"]


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"kubernetes_version": "1.29"}, "kubernetes_version is 1.29: one of"),
        ({"public_access_from": "0.0.0.0/0"}, "not everybody"),
        ({"metrics_server": "latest"}, "version of metrics-server is latest"),
    ],
)
def test_what_aws_would_refuse_is_refused(context: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidOptionsError, match=said):
        synthesize({**context, "section": "eks"})


def test_an_unknown_compute_is_refused_with_the_permitted_ones() -> None:
    with pytest.raises(UnknownNameError, match="fargate, auto-mode"):
        synthesize({"compute": "ec2", "section": "eks"})
