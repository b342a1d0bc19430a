"""A cluster for hosts outside AWS: nothing else is made, and its disconnected agents are told from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from lambda_src.event_rule.matching import matches
from lambda_src.external_cluster.construct import ExternalCluster
from lambda_src.posture import Posture
from tests.stacks.synthesis import only

if TYPE_CHECKING:
    import aws_cdk as cdk

ARN = "arn:aws:ecs:us-east-1:111122223333:cluster/edge"


def event(**changes: Any) -> dict[str, Any]:
    """Make an event as Amazon ECS sends it."""
    detail = {
        "agentConnected": False,
        "clusterArn": ARN,
        "containerInstanceArn": "arn:aws:ecs:us-east-1:111122223333:container-instance/edge/0123",
        "ec2InstanceId": "mi-0123456789abcdef0",
        "status": "ACTIVE",
        "version": 14801,
    }
    return {
        "source": "aws.ecs",
        "detail-type": "ECS Container Instance State Change",
        "detail": {**detail, **changes},
    }


def pattern(stack: cdk.Stack, by_hand: str | None = None) -> dict[str, Any]:
    made = ExternalCluster(stack, "Cluster").disconnected_pattern(by_hand=by_hand)
    return {**made, "detail": {**made["detail"], "clusterArn": [ARN]}}


def test_there_is_no_network_and_no_capacity(stack: cdk.Stack) -> None:
    ExternalCluster(stack, "Cluster")
    made = Template.from_stack(stack).to_json()["Resources"]
    assert [resource["Type"] for resource in made.values()] == ["AWS::ECS::Cluster"]


@pytest.mark.parametrize(("posture", "insights"), [(Posture.LAB, "enabled"), (Posture.PRODUCTION, "enhanced")])
def test_the_posture_says_how_closely_it_is_watched(stack: cdk.Stack, posture: Posture, insights: str) -> None:
    ExternalCluster(stack, "Cluster", posture=posture)
    [setting] = only(dict(Template.from_stack(stack).to_json()), "AWS::ECS::Cluster")["ClusterSettings"]
    assert setting == {"Name": "containerInsights", "Value": insights}


def test_a_name_can_be_given(stack: cdk.Stack) -> None:
    ExternalCluster(stack, "Cluster", cluster_name="edge")
    assert only(dict(Template.from_stack(stack).to_json()), "AWS::ECS::Cluster")["ClusterName"] == "edge"


def test_an_agent_that_loses_its_connection_is_told(stack: cdk.Stack) -> None:
    assert matches(pattern(stack), event())


@pytest.mark.parametrize(
    "other",
    [
        event(agentConnected=True),
        event(status="INACTIVE"),
        event(clusterArn=f"{ARN}-of-others"),
        {**event(), "detail-type": "ECS Task State Change"},
        {**event(), "source": "by-hand.aws.ecs"},
    ],
)
def test_nothing_else_is_told(stack: cdk.Stack, other: dict[str, Any]) -> None:
    assert not matches(pattern(stack), other)


def test_events_by_hand_are_taken_where_they_are_asked_for(stack: cdk.Stack) -> None:
    assert matches(pattern(stack, by_hand="by-hand."), {**event(), "source": "by-hand.aws.ecs"})


@pytest.mark.parametrize("name", ["", "edge 1", "edge/1", "edge.1", "x" * 256])
def test_a_name_that_amazon_ecs_does_not_take_is_refused(stack: cdk.Stack, name: str) -> None:
    with pytest.raises(ValueError, match=r"ExternalCluster Empty/Cluster:\n  cluster_name is .*: 1 to 255 letters"):
        ExternalCluster(stack, "Cluster", cluster_name=name)
    assert stack.node.children == []


@pytest.mark.parametrize("name", ["edge", "Edge_1-a", "x" * 255])
def test_a_name_that_it_takes_is_the_clusters(stack: cdk.Stack, name: str) -> None:
    ExternalCluster(stack, "Cluster", cluster_name=name)

    assert only(Template.from_stack(stack).to_json(), "AWS::ECS::Cluster")["ClusterName"] == name
