"""Groups of traces: what they are made of, and which filter expressions are refused, with the place of the mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Aws
from aws_cdk.assertions import Template

from lambda_src.trace_group.construct import TraceGroup

if TYPE_CHECKING:
    from aws_cdk import Stack

SLOW = 'service("Orders/v1") AND responsetime > 2'


def test_it_is_watched_and_its_insights_are_events(stack: Stack) -> None:
    TraceGroup(stack, "Group", group_name="slow", filter_expression=SLOW)

    Template.from_stack(stack).has_resource_properties(
        "AWS::XRay::Group",
        {
            "GroupName": "slow",
            "FilterExpression": SLOW,
            "InsightsConfiguration": {"InsightsEnabled": True, "NotificationsEnabled": True},
        },
    )


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"group_name": ""}, "group_name is : 1 to 32 characters"),
    ({"group_name": "x" * 33}, f"group_name is {'x' * 33}: 1 to 32 characters"),
    ({"group_name": "Default"}, "group_name is Default: that is X-Ray's own, of all traces"),
    ({"insights": False}, "notifications is on without insights: leave out one"),
]


@pytest.mark.parametrize(("options", "problem"), REFUSED, ids=[problem[:40] for _, problem in REFUSED])
def test_it_refuses(stack: Stack, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="TraceGroup Empty/Group:") as refusal:
        TraceGroup(stack, "Group", **{"group_name": "slow", "filter_expression": SLOW, **options})

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}"]
    assert stack.node.children == []


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("", ["The filter expression is empty; write for example responsetime > 5", "", "^"]),
        (
            'service("Orders/v1") AND responsetme > 2',
            [
                "There is no keyword responsetme; did you mean responsetime?",
                'service("Orders/v1") AND responsetme > 2',
                "                         ^",
            ],
        ),
        (
            'service("Orders/v1") { fault',
            [
                'The "{" at 22 is not closed: "}" is missing here',
                'service("Orders/v1") { fault',
                "                            ^",
            ],
        ),
    ],
)
def test_a_mistake_in_the_expression_is_pointed_at(stack: Stack, expression: str, shown: list[str]) -> None:
    with pytest.raises(ValueError, match="TraceGroup Empty/Group:") as refusal:
        TraceGroup(stack, "Group", group_name="slow", filter_expression=expression)

    said, *below = shown
    assert str(refusal.value).splitlines()[1:] == [
        f"  filter_expression is wrong: {said}",
        *(f"    {line}" for line in below),
    ]


@pytest.mark.parametrize(
    "expression",
    [
        # X-Ray finds out root causes; the local one cannot, and says so.
        'rootcause.fault.service { name = "api" }',
        # Known when it is deployed.
        f'service("{Aws.STACK_NAME}/v1")',
        f"{Aws.STACK_NAME}",
    ],
    # A token's number is another one in every process.
    ids=["root cause", "token inside", "token"],
)
def test_what_only_aws_can_tell_is_left_to_it(stack: Stack, expression: str) -> None:
    TraceGroup(stack, "Group", group_name="slow", filter_expression=expression)
