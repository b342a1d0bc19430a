"""The environment of Elastic Beanstalk: X-Ray is on, and so is what an environment should not be without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from lambda_src.posture import Posture
from lambda_src.traced_environment.construct import TracedEnvironment
from tests.stacks.synthesis import only

if TYPE_CHECKING:
    from aws_cdk import Stack

REQUIRED: dict[str, Any] = {
    "application_name": "shop",
    "solution_stack_name": "64bit Amazon Linux 2023 v4.13.8 running Python 3.13",
}


def settings(stack: Stack) -> dict[tuple[str, str], str]:
    made = only(Template.from_stack(stack).to_json(), "AWS::ElasticBeanstalk::Environment")["OptionSettings"]
    return {(setting["Namespace"], setting["OptionName"]): setting["Value"] for setting in made}


def test_x_ray_is_one_option_setting(stack: Stack) -> None:
    TracedEnvironment(stack, "Environment", **REQUIRED)

    assert settings(stack)["aws:elasticbeanstalk:xray", "XRayEnabled"] == "true"


def test_health_updates_logs_and_the_newer_metadata_service_are_on(stack: Stack) -> None:
    TracedEnvironment(stack, "Environment", **REQUIRED)

    made = settings(stack)
    assert made["aws:elasticbeanstalk:healthreporting:system", "SystemType"] == "enhanced"
    assert made["aws:elasticbeanstalk:managedactions", "ManagedActionsEnabled"] == "true"
    assert made["aws:elasticbeanstalk:cloudwatch:logs", "StreamLogs"] == "true"
    assert made["aws:autoscaling:launchconfiguration", "DisableIMDSv1"] == "true"


@pytest.mark.parametrize(
    ("posture", "kind", "days"), [(Posture.LAB, "SingleInstance", "7"), (Posture.PRODUCTION, "LoadBalanced", "365")]
)
def test_the_posture_says_what_it_costs(stack: Stack, posture: Posture, kind: str, days: str) -> None:
    TracedEnvironment(stack, "Environment", **REQUIRED, posture=posture)

    made = settings(stack)
    assert made["aws:elasticbeanstalk:environment", "EnvironmentType"] == kind
    assert made["aws:elasticbeanstalk:cloudwatch:logs", "RetentionInDays"] == days


def test_it_goes_into_a_vpc_and_takes_other_settings(stack: Stack) -> None:
    TracedEnvironment(
        stack,
        "Environment",
        **REQUIRED,
        vpc_id="vpc-0123456789abcdef0",
        subnet_ids=("subnet-1", "subnet-2"),
        option_settings={("aws:autoscaling:launchconfiguration", "DisableIMDSv1"): "false"},
    )

    made = settings(stack)
    assert made["aws:ec2:vpc", "VPCId"] == "vpc-0123456789abcdef0"
    assert made["aws:ec2:vpc", "Subnets"] == "subnet-1,subnet-2"
    assert made["aws:autoscaling:launchconfiguration", "DisableIMDSv1"] == "false"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"solution_stack_name": "Python"}, "solution_stack_name is Python: a platform on Amazon Linux 2023"),
    ({"solution_stack_name": ""}, "solution_stack_name is not given: a platform on Amazon Linux 2023"),
    ({"vpc_id": "vpc-1"}, "subnet_ids is empty: give vpc_id and subnet_ids, or neither"),
    ({"subnet_ids": ("subnet-1",)}, "subnet_ids is subnet-1: give vpc_id and subnet_ids, or neither"),
]


@pytest.mark.parametrize(("options", "problem"), REFUSED, ids=[problem[:40] for _, problem in REFUSED])
def test_it_refuses(stack: Stack, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="TracedEnvironment Empty/Environment:") as refusal:
        TracedEnvironment(stack, "Environment", **REQUIRED | options)

    [found] = str(refusal.value).splitlines()[1:]
    assert found.startswith(f"  {problem}")
    assert stack.node.children == []
