"""The section of hosts outside AWS: what context changes, what is refused, what is told."""

from __future__ import annotations

from typing import Any

import pytest

from lab_stacks import catalog
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, only, resources, synthesize

LAB = Form(catalog.section("ecs-anywhere"), Posture.LAB)


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[LAB].template


def with_settings(**settings: str) -> dict[str, Any]:
    return synthesize({"section": "ecs-anywhere", **settings})["ecs-anywhere"].template


def test_it_can_be_deployed_before_there_is_a_host(template: dict[str, Any]) -> None:
    assert only(template, "AWS::ECS::Service")["SchedulingStrategy"] == "DAEMON"


def test_tasks_can_be_counted_from_context() -> None:
    declared = only(with_settings(tasks="2"), "AWS::ECS::Service")
    assert "SchedulingStrategy" not in declared  # REPLICA is what it is by default
    assert declared["DesiredCount"] == 2


@pytest.mark.parametrize("setting", ["tasks", "port"])
def test_a_number_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(InvalidOptionsError, match=f"{setting} is many: a whole number"):
        with_settings(**{setting: "many"})


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidOptionsError, match="host_port is 70000: 1 to 65,535"):
        with_settings(port="70000")


def test_a_name_can_be_given_from_context(template: dict[str, Any]) -> None:
    assert "ClusterName" not in only(template, "AWS::ECS::Cluster")
    assert only(with_settings(cluster_name="edge"), "AWS::ECS::Cluster")["ClusterName"] == "edge"


def test_the_rule_is_for_this_cluster_and_tells_the_topic(template: dict[str, Any]) -> None:
    rule = only(template, "AWS::Events::Rule")
    [cluster] = resources(template, "AWS::ECS::Cluster")
    [topic] = resources(template, "AWS::SNS::Topic")

    assert rule["EventPattern"]["detail"]["clusterArn"] == [{"Fn::GetAtt": [cluster, "Arn"]}]
    assert rule["EventPattern"]["detail"]["agentConnected"] == [False]
    [target] = rule["Targets"]
    assert target["Arn"] == {"Ref": topic}
    assert "DeadLetterConfig" in target


def test_no_activation_is_in_the_template(template: dict[str, Any]) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::SSM", "Custom::", "AWS::Lambda"))]
