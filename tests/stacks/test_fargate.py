"""The section on Fargate: what context makes of it, what it refuses, and what the runbook finds in it."""

from __future__ import annotations

from typing import Any

import pytest

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, only, resources, synthesize

LAB = Form(catalog.section("fargate"), Posture.LAB)
SERVICE = "AWS::ECS::Service"


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[LAB].template


@pytest.fixture
def production(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[Form(LAB.entry, Posture.PRODUCTION)].template


def variant(forms: dict[Form, Synthesized], name: str) -> dict[str, Any]:
    return forms[Form(LAB.entry, Posture.LAB, name)].template


def with_settings(**settings: str) -> dict[str, Any]:
    return synthesize({"section": "fargate", **settings})["fargate"].template


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"memory_mib": "300"}, "memory_mib is 300: with a cpu of 256, 512, 1024, 2048 MiB"),
        ({"cpu": "a lot"}, "cpu is a lot: give a whole number, such as 256"),
        ({"desired_count": "12"}, "desired_count is 12: 2 to 10, between which the service scales"),
        ({"zone_id": "Z1", "zone_name": "example.com", "domain_name": "example.org"}, "domain_name is example.org"),
    ],
)
def test_impossible_settings_are_refused_with_what_is_possible(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidOptionsError, match=problem):
        with_settings(**settings)


def test_an_unknown_deployment_is_refused_with_the_four_that_there_are() -> None:
    with pytest.raises(UnknownNameError, match="The deployments are: rolling, blue-green, linear, canary"):
        with_settings(deployment="big-bang")


def test_production_asks_for_a_certificate_that_context_did_not_give(production: dict[str, Any]) -> None:
    parameter = production["Parameters"]["CertificateArn"]
    listeners = {one["Port"]: one for one in resources(production, "AWS::ElasticLoadBalancingV2::Listener").values()}

    assert "Default" not in parameter, "nothing is deployed until somebody gives one"
    assert listeners[443]["Certificates"] == [{"CertificateArn": {"Ref": "CertificateArn"}}]
    assert listeners[80]["DefaultActions"][0]["Type"] == "redirect"


def test_a_lab_asks_for_none(template: dict[str, Any]) -> None:
    assert "CertificateArn" not in template["Parameters"]
    assert only(template, "AWS::ElasticLoadBalancingV2::Listener")["Protocol"] == "HTTP"


def test_two_tasks_run_our_image_with_a_secret(template: dict[str, Any]) -> None:
    [container] = only(template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    [secret] = container["Secrets"]

    assert only(template, SERVICE)["DesiredCount"] == 2
    assert "container-assets" in str(container["Image"])
    assert (secret["Name"], list(secret["ValueFrom"])) == ("WEB_SECRET", ["Ref"])
    assert container["HealthCheck"]["Command"] == ["CMD", "/usr/local/bin/serve", "--check"]


def test_image_and_task_are_for_the_same_architecture() -> None:
    assert only(with_settings(architecture="arm64"), "AWS::ECS::TaskDefinition")["RuntimePlatform"] == {
        "CpuArchitecture": "ARM64",
        "OperatingSystemFamily": "LINUX",
    }


def test_releases_shells_and_spot_are_as_context_says(synthesized_forms: dict[Form, Synthesized]) -> None:
    service = only(variant(synthesized_forms, "https"), SERVICE)

    assert service["DeploymentConfiguration"]["Strategy"] == "CANARY"
    assert service["EnableExecuteCommand"] is True
    assert [one["CapacityProvider"] for one in service["CapacityProviderStrategy"]] == ["FARGATE", "FARGATE_SPOT"]


def test_whoever_opens_shells_has_an_endpoint_for_them(synthesized_forms: dict[Form, Synthesized]) -> None:
    made = resources(variant(synthesized_forms, "https"), "AWS::EC2::VPCEndpoint")

    assert any(".ssmmessages" in str(endpoint["ServiceName"]) for endpoint in made.values())


def test_a_network_that_is_given_is_left_alone(synthesized_forms: dict[Form, Synthesized]) -> None:
    template = variant(synthesized_forms, "zone")
    network = only(template, SERVICE)["NetworkConfiguration"]["AwsvpcConfiguration"]

    assert network["Subnets"] == ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]
    assert not [one["Type"] for one in template["Resources"].values() if one["Type"] == "AWS::EC2::VPC"]


def test_the_agent_that_traces_has_a_way_to_the_internet_where_its_image_is() -> None:
    assert resources(with_settings(tracing="sidecar"), "AWS::EC2::NatGateway")


def test_outputs_are_what_the_runbook_needs(template: dict[str, Any]) -> None:
    assert set(template["Outputs"]) == {
        "AccessLogBucketName",
        "ClusterName",
        "LoadBalancerName",
        "LogGroupName",
        "SecretArn",
        "ServiceName",
        "TaskRoleArn",
        "Url",
    }
