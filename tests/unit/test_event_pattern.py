"""A mistake in an event pattern is named with its path, and with what to write instead."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from lambda_src.event_rule.pattern import problems
from tests.unit.test_event_matching import DOCUMENTED

OPERATORS = "The operators are: anything-but, cidr, equals-ignore-case, exists, numeric, prefix, suffix, wildcard"


def total(*values: Any) -> dict[str, Any]:
    return {"detail": {"total": list(values)}}


REFUSED: list[tuple[Any, list[str]]] = [
    # the shape
    (None, ["the whole: null is no object: name the fields to compare"]),
    ([], ["the whole: [] is no object: name the fields to compare"]),
    ({}, ["the whole: an empty object says nothing: name the fields to compare"]),
    ({"detail": {}}, ["detail: an empty object says nothing: name the fields to compare"]),
    ({"source": "shop"}, ['source: "shop" stands alone: write ["shop"]']),
    ({"detail": {"paid": True}}, ["detail.paid: true stands alone: write [true]"]),
    (total(), ["detail.total: an empty array matches no event: name a value, or leave the field out"]),
    (total([1]), ["detail.total[0]: an array inside an array: write its values side by side"]),
    (
        total("a", b"b"),
        ["detail.total[1]: \"b'b'\" is no JSON value: write text, a number, true, false or null"],
    ),
    # fields that no event has, and numbers where every event has text
    ({"detailType": ["x"]}, ["detailType: no event has this field. Did you mean detail-type? What is the event's own"]),
    ({"detail_type": ["x"]}, ["detail_type: no event has this field. Did you mean detail-type? What is the event's"]),
    ({"total": [100]}, ["total: no event has this field. What is the event's own is in detail"]),
    (
        {"account": [111122223333]},
        ['account[0]: is text in every event, and 111122223333 a number: write "111122223333"'],
    ),
    ({"$or": [{"source": ["a"]}, {"sauce": ["b"]}]}, ["$or[1].sauce: no event has this field. Did you mean source?"]),
    # operators
    (total({"greater": 100}), [f"detail.total[0].greater: there is no such operator. {OPERATORS}"]),
    (
        total({"prefixes": "a"}),
        [f"detail.total[0].prefixes: there is no such operator. Did you mean prefix? {OPERATORS}"],
    ),
    (
        total({"prefix": "a", "suffix": "b"}),
        ["detail.total[0]: 2 operators in one object: give each an object of its own"],
    ),
    (total({}), ["detail.total[0]: 0 operators in one object: give each an object of its own"]),
    (
        {"detail": {"total": {"numeric": [">", 1]}}},
        ['detail.total.numeric: numeric is an operator, it belongs in the array of a field: [{"numeric": [">", 1]}]'],
    ),
    (
        {"detail": {"id": {"prefix": "A"}}},
        ['detail.id.prefix: prefix is an operator, it belongs in the array of a field: [{"prefix": "A"}]'],
    ),
    # numeric
    (
        total({"numeric": [">=", "100"]}),
        [
            'detail.total[0].numeric: compares with a number, and "100" is text: write the number without quotes',
        ],
    ),
    (total({"numeric": [">=", True]}), ["detail.total[0].numeric: compares with a number, and true is none"]),
    (total({"numeric": ["=>", 1]}), ['detail.total[0].numeric: "=>" is no comparison: one of = < <= > >=']),
    (total({"numeric": 100}), ['detail.total[0].numeric: write a comparison and a number, [">=", 100], or a range']),
    (total({"numeric": [">"]}), ["detail.total[0].numeric: write a comparison and a number"]),
    (total({"numeric": ["<", 5, ">", 0]}), ["detail.total[0].numeric: a range has its lower bound first"]),
    (total({"numeric": [">", 5, "<", 5]}), ["detail.total[0].numeric: no number is above 5 and below 5"]),
    (
        total({"numeric": ["<", 6e9]}),
        ["detail.total[0].numeric: 6000000000.0 is too large: -5,000,000,000 to 5,000,000,000"],
    ),
    # the other operands
    (total({"prefix": 1}), ['detail.total[0].prefix: compares with text, and 1 is none: write "1"']),
    (total({"prefix": {"suffix": "a"}}), ["detail.total[0].prefix: compares with text"]),
    (
        total({"suffix": {"equals-ignore-case": None}}),
        ["detail.total[0].suffix.equals-ignore-case: compares with text, and null is none"],
    ),
    (total({"equals-ignore-case": ["a"]}), ['detail.total[0].equals-ignore-case: compares with text, and ["a"]']),
    (total({"exists": "true"}), ['detail.total[0].exists: "true" is neither true nor false']),
    (total({"cidr": "10.0.0.1"}), ['detail.total[0].cidr: "10.0.0.1" is no block of addresses']),
    (total({"cidr": "10.0.0.0/33"}), ['detail.total[0].cidr: "10.0.0.0/33" is no block of addresses']),
    (total({"cidr": 10}), ["detail.total[0].cidr: 10 is no block of addresses"]),
    (total({"cidr": "10.0.0.1/32"}), ['detail.total[0].cidr: a block of one address: write it as a value, "10.0.0.1"']),
    (total({"wildcard": "a**"}), ['detail.total[0].wildcard: "a**" has two wildcards in a row']),
    (total({"wildcard": r"a\n"}), ["detail.total[0].wildcard: a backslash goes before * and before another"]),
    (total({"anything-but": []}), ["detail.total[0].anything-but: write text or a number, or an array"]),
    (total({"anything-but": ["a", 1]}), ["detail.total[0].anything-but: write text or a number, or an array"]),
    (total({"anything-but": None}), ["detail.total[0].anything-but: write text or a number, or an array"]),
    (
        total({"anything-but": {"numeric": [">", 1]}}),
        ["detail.total[0].anything-but: negates values, or one of prefix"],
    ),
    (total({"anything-but": {"prefix": []}}), ["detail.total[0].anything-but.prefix: an empty array: name what"]),
    (total({"anything-but": {"wildcard": "a**"}}), ['detail.total[0].anything-but.wildcard: "a**" has two wildcards']),
    # $or
    ({"$or": [{"source": ["a"]}]}, ["$or: write an array of two objects or more, each of which may match"]),
    ({"$or": {"source": ["a"]}}, ["$or: write an array of two objects or more, each of which may match"]),
    (
        {"detail": {"$or": [{"a": ["x"]}, {"numeric": ["x"]}]}},
        ['detail.$or[1].numeric: numeric is an operator, it belongs in the array of a field: [{"numeric": ["x"]}]'],
    ),
    # several at once
    (
        {"source": [], "detail": {"total": [1, {"numeric": ["!", "1"]}]}},
        [
            "source: an empty array matches no event",
            'detail.total[1].numeric: "!" is no comparison',
            'detail.total[1].numeric: compares with a number, and "1" is text',
        ],
    ),
]


@pytest.mark.parametrize(("pattern", "expected"), REFUSED, ids=[expected[0][:50] for _, expected in REFUSED])
def test_it_is_refused_with_the_path_of_the_mistake(pattern: Any, expected: list[str]) -> None:
    found = problems(pattern)

    assert len(found) == len(expected), found
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


def test_a_pattern_of_2048_characters_is_the_longest() -> None:
    longest = {"source": ["x" * (2048 - len('{"source":[""]}'))]}
    longer = {"source": [longest["source"][0] + "x"]}

    assert problems(longest) == []
    assert problems(longer) == ["the whole: 2,049 characters, of 2,048 at most: use fewer values or shorter"]


def test_more_combinations_than_a_thousand_are_refused() -> None:
    def either(field: str, count: int) -> dict[str, Any]:
        return {"$or": [{f"{field}{number}": ["x"]} for number in range(count)]}

    assert problems({"detail": {"one": either("a", 25), "other": either("b", 40)}}) == []
    assert problems({"detail": {"one": either("a", 26), "other": either("b", 40)}}) == [
        "$or: over 1,000 combinations: make several rules of it"
    ]


def test_what_only_cloudformation_knows_stands_for_a_value_that_is_right() -> None:
    reference = {"Ref": "Parameter"}

    assert problems(total(reference, {"numeric": [">", reference]}, {"cidr": reference}, {"prefix": reference})) == []
    assert problems({"account": [{"Ref": "AWS::AccountId"}], "source": [{"Fn::Join": ["", ["a", "b"]]}]}) == []
    assert problems(total({"anything-but": ["a", reference]})) == []


@pytest.mark.parametrize("pattern", [pattern for pattern, _, _ in DOCUMENTED], ids=str)
def test_every_documented_pattern_is_accepted(pattern: dict[str, Any]) -> None:
    assert problems(pattern) == []


def test_a_field_may_have_the_name_of_an_operator() -> None:
    assert problems({"detail": {"prefix": ["logs/"], "numeric": ["yes"]}}) == []


def test_checking_and_matching_load_no_cdk() -> None:
    code = "import sys, lambda_src.event_rule.matching; print('aws_cdk' in sys.modules or 'jsii' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
