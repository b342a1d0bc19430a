"""Groups of traces: what they are made of, and which filter expressions are refused, with the place of the mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from lambda_src.trace_group.construct import TraceGroup
from lambda_src.trace_group.filter_expression import mistake_in

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
    ({"filter_expression": "fault)"}, "filter_expression is fault): the ) at character 6 closes nothing"),
    ({"insights": False}, "notifications is on without insights: leave out one"),
]


@pytest.mark.parametrize(("options", "problem"), REFUSED, ids=[problem[:40] for _, problem in REFUSED])
def test_it_refuses(stack: Stack, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="TraceGroup Empty/Group:") as refusal:
        TraceGroup(stack, "Group", **{"group_name": "slow", "filter_expression": SLOW, **options})

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}"]
    assert stack.node.children == []


@pytest.mark.parametrize(
    "expression",
    [
        "fault",
        "responsetime > 5 AND !ok",
        'service("api.example.com") { fault = true OR responsetime > 2.5 }',
        'edge("client", "api") { error }',
        'annotation.text = "a ) in a text, and a \\" too"',
        "annotation[order.id] = 7",
    ],
)
def test_expressions_of_the_documentation_have_no_mistake(expression: str) -> None:
    assert mistake_in(expression) is None


@pytest.mark.parametrize(
    ("expression", "mistake"),
    [
        ("", "an expression, such as fault = true"),
        ("  ", "an expression, such as fault = true"),
        ('service("a) { fault }', "the text that begins at character 9 has no quotation mark at its end"),
        ('service("a") { fault', "what opens at character 14 lacks its }"),
        ('service("a") fault }', "the } at character 20 closes nothing"),
        ("(fault }", "the } at character 8 closes nothing"),
    ],
)
def test_a_mistake_is_pointed_at(expression: str, mistake: str) -> None:
    assert mistake_in(expression) == mistake
