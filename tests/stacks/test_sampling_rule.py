"""Sampling rules: what they match, and which X-Ray would refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from lambda_src.sampling_rule.construct import SamplingRule
from tests.stacks.synthesis import only

if TYPE_CHECKING:
    from aws_cdk import Stack

REQUIRED: dict[str, Any] = {"rule_name": "health", "priority": 100, "fixed_rate": 0.01}


def test_it_matches_everything_but_what_is_said(stack: Stack) -> None:
    SamplingRule(stack, "Rule", **REQUIRED, url_path="*/health", attributes={"tier": "free"})

    assert only(Template.from_stack(stack).to_json(), "AWS::XRay::SamplingRule") == {
        "SamplingRule": {
            "RuleName": "health",
            "Priority": 100,
            "FixedRate": 0.01,
            "ReservoirSize": 0,
            "ServiceName": "*",
            "ServiceType": "*",
            "ResourceARN": "*",
            "Host": "*",
            "HTTPMethod": "*",
            "URLPath": "*/health",
            "Attributes": {"tier": "free"},
            "Version": 1,
        }
    }


@pytest.mark.parametrize("options", [{"priority": 1, "fixed_rate": 0}, {"priority": 9999, "fixed_rate": 1}])
def test_the_ends_of_the_ranges_are_permitted(stack: Stack, options: dict[str, Any]) -> None:
    SamplingRule(stack, "Rule", **REQUIRED | options)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"rule_name": ""}, "rule_name is : 1 to 32 characters"),
    ({"rule_name": "x" * 33}, f"rule_name is {'x' * 33}: 1 to 32 characters"),
    ({"rule_name": "Default"}, "rule_name is Default: that is X-Ray's own"),
    ({"priority": 0}, "priority is 0: 1 to 9,999"),
    ({"priority": 10_000}, "priority is 10000: 1 to 9,999"),
    ({"fixed_rate": 5}, "fixed_rate is 5: 0 to 1, the part of the requests"),
    ({"fixed_rate": -0.1}, "fixed_rate is -0.1: 0 to 1, the part of the requests"),
    ({"reservoir_size": -1}, "reservoir_size is -1: 0 or more requests a second"),
    ({"service_name": "x" * 65}, f"service_name is {'x' * 65}: 1 to 64 characters, * for anything"),
    ({"service_type": ""}, "service_type is : 1 to 64 characters, * for anything"),
    ({"host": "x" * 65}, f"host is {'x' * 65}: 1 to 64 characters, * for anything"),
    ({"http_method": "PROPPATCHES"}, "http_method is PROPPATCHES: 1 to 10 characters, * for anything"),
    ({"url_path": ""}, "url_path is : 1 to 128 characters, * for anything"),
    ({"resource_arn": ""}, "resource_arn is : 1 to 500 characters, * for anything"),
    ({"attributes": {str(n): "x" for n in range(6)}}, "attributes is 6: five pairs at most"),
    ({"attributes": {"": "x"}}, "attributes is {'': 'x'}: 1 to 32 characters in each key and value"),
]


@pytest.mark.parametrize(("options", "problem"), REFUSED, ids=[problem[:40] for _, problem in REFUSED])
def test_it_refuses(stack: Stack, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="SamplingRule Empty/Rule:") as refusal:
        SamplingRule(stack, "Rule", **REQUIRED | options)

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}"]
    assert stack.node.children == []
