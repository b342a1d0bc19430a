"""A lifecycle policy that AWS would refuse is refused, all that is wrong with it at once, and where."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from lambda_src.image_repository.lifecycle.checks import check
from lambda_src.image_repository.lifecycle.policy import text_of
from tests.unit.lifecycle_examples import ARCHIVE, EXPIRE, SYNTAX, WORKED, Example, keep, policy, rule

UNTAGGED = rule(1, "imageCountMoreThan", 1, status="untagged")


def problems(document: object) -> list[str]:
    return [str(problem) for problem in check(document).problems]


def warnings(document: object) -> list[str]:
    made = check(document)
    assert made.policy is not None, made.problems
    return [str(warning) for warning in made.warnings]


def changed(where: str, value: Any, of: dict[str, Any] = UNTAGGED) -> dict[str, Any]:
    """Copy a rule, with one property changed, or removed for ``...``."""
    copy = deepcopy(of)
    *path, name = where.split(".")
    inside = copy
    for step in path:
        inside = inside[step]
    if value is ...:
        del inside[name]
    else:
        inside[name] = value
    return policy(copy)


@pytest.mark.parametrize("example", [*WORKED, *SYNTAX], ids=str)
def test_the_policies_of_the_documentation_are_taken_without_a_word(example: Example) -> None:
    assert (problems(example.policy), warnings(example.policy)) == ([], [])


def test_the_patterns_of_the_documentation_are_judged_as_it_says() -> None:
    assert problems(policy(keep(1, 1, "*test*1*2*3", "test*1*2*3*"))) == []
    assert problems(policy(keep(1, 1, "test*1*2*3*4*5*6"))) == [
        'rules[0].selection.tagPatternList[0] is "test*1*2*3*4*5*6": 4 wildcards at most'
    ]


PUSHED = rule(1, "sinceImagePushed", 5)
ARCHIVED = rule(1, "sinceImageTransitioned", 90, storageClass="archive")
WHOLE = "a whole number, 1 or more"
REFUSED: list[tuple[object, list[str]]] = [
    ([], ["policy is []: an object"]),
    ({}, ["rules is missing"]),
    ({"rules": {}}, ["rules is {}: a list"]),
    ({"rules": []}, ["rules has 0: 1 to 50 rules"]),
    ({"rules": [UNTAGGED], "Version": "2012-10-17"}, ["Version is unknown: rules"]),
    (policy(1), ["rules[0] is 1: an object"]),  # type: ignore[arg-type]
    ({"rules": {1, 2}}, ["policy cannot be written as JSON: Object of type set is not JSON serializable"]),
    (changed("rulePriority", 0), [f"rules[0].rulePriority is 0: {WHOLE}"]),
    (changed("rulePriority", "1"), [f'rules[0].rulePriority is "1": {WHOLE}']),
    (changed("rulePriority", True), [f"rules[0].rulePriority is true: {WHOLE}"]),
    (changed("rulePriority", 2**31), [f"rules[0].rulePriority is 2147483648: {WHOLE}"]),
    (changed("description", None), ["rules[0].description is null: a text"]),
    (changed("selection", ...), ["rules[0].selection is missing"]),
    (changed("action", ...), ["rules[0].action is missing"]),
    (changed("selection.tagStatus", "all"), ['rules[0].selection.tagStatus is "all": tagged or untagged or any']),
    (
        changed("selection.tagStatus", "tagged"),
        ["rules[0].selection has no tags: tagged needs a tagPatternList or a tagPrefixList"],
    ),
    (
        policy(rule(1, "imageCountMoreThan", 1, tags=["a"], prefixes=["b"])),
        ["rules[0].selection has two lists of tags: either tagPatternList or tagPrefixList"],
    ),
    (
        changed("selection.tagPrefixList", ["v"]),
        ["rules[0].selection.tagPrefixList is given: not for untagged images, only for tagged ones"],
    ),
    (
        changed("selection.tagPatternList", [], keep(1, 1, "v")),
        ["rules[0].selection.tagPatternList is empty: one text or more"],
    ),
    (
        changed("selection.tagPatternList", ["", 1], keep(1, 1, "v")),
        [
            'rules[0].selection.tagPatternList[0] is "": a text that is not empty',
            "rules[0].selection.tagPatternList[1] is 1: a text that is not empty",
        ],
    ),
    (
        changed("selection.tagPatterns", ["v*"]),
        ["rules[0].selection.tagPatterns is unknown: did you mean tagPatternList?"],
    ),
    (changed("selection.countNumber", 0), [f"rules[0].selection.countNumber is 0: {WHOLE}"]),
    (changed("selection.countNumber", 1.5), [f"rules[0].selection.countNumber is 1.5: {WHOLE}"]),
    (changed("selection.countUnit", "days"), ["rules[0].selection.countUnit is given: not for imageCountMoreThan"]),
    (
        changed("selection.countUnit", ..., PUSHED),
        ["rules[0].selection.countUnit is missing: days, for sinceImagePushed"],
    ),
    (changed("selection.countUnit", "hours", PUSHED), ['rules[0].selection.countUnit is "hours": days']),
    (
        changed("selection.storageClass", "archive", PUSHED),
        ["rules[0].selection.storageClass is archive: standard, for sinceImagePushed"],
    ),
    (
        changed("selection.storageClass", ..., ARCHIVED),
        ["rules[0].selection.storageClass is missing: archive, for sinceImageTransitioned"],
    ),
    (
        changed("selection.countNumber", 89, ARCHIVED),
        [
            "rules[0].selection.countNumber is 89: 90 or more, as AWS deletes no image that was archived for fewer "
            "days",
        ],
    ),
    (changed("action", ARCHIVE, ARCHIVED), ["rules[0].action.type is transition: expire, for sinceImageTransitioned"]),
    (
        changed("action.targetStorageClass", None),
        ["rules[0].action.targetStorageClass is given: not for expire"],
    ),
    (
        changed("action", {"type": "transition"}),
        ["rules[0].action.targetStorageClass is missing: archive, for transition"],
    ),
    (
        changed("action", {"type": "transition", "targetStorageClass": "glacier"}),
        ['rules[0].action.targetStorageClass is "glacier": archive'],
    ),
    (changed("action", {"type": "archive"}), ['rules[0].action.type is "archive": expire or transition']),
    (policy(keep(1, 1, "a"), keep(1, 1, "b")), ["rules[1].rulePriority is 1: rules[0] has it already"]),
    (
        policy(UNTAGGED, rule(2, "sinceImagePushed", 5, status="untagged")),
        ["rules[1].selection.tagStatus is untagged: rules[0] selects the untagged images already"],
    ),
    (
        policy(keep(1, 1), keep(2, 1, "v*")),
        ["rules[0].rulePriority is 1: above 2, as the rule for any image is the last of its storage class"],
    ),
    (
        policy(keep(2, 1, "a*", "b*"), rule(1, "sinceImagePushed", 5, tags=["b*", "a*"])),
        ["rules[1].selection has the tags of rules[0]: one rule for the same tags"],
    ),
    (
        policy(*({**keep(number, 1, f"v{number}"), "description": "x" * 600} for number in range(1, 52))),
        ["policy has 39,416 characters: 30,720 at most", "rules has 51: 1 to 50 rules"],
    ),
]


@pytest.mark.parametrize(("document", "said"), REFUSED, ids=[said[0][:60] for _, said in REFUSED])
def test_it_is_refused(document: object, said: list[str]) -> None:
    assert problems(document) == said
    assert check(document).policy is None


def test_a_policy_as_long_as_aws_takes_is_taken_and_one_character_more_is_not() -> None:
    longest = policy({**UNTAGGED, "description": ""})
    longest["rules"][0]["description"] = "ä" * (30_720 - len(text_of(longest)))

    assert problems(longest) == []
    longest["rules"][0]["description"] += "x"
    assert problems(longest) == ["policy has 30,721 characters: 30,720 at most"]


def test_each_storage_class_has_a_last_rule_and_an_untagged_one_of_its_own() -> None:
    archive = {"storageClass": "archive", "action": EXPIRE}
    assert not problems(
        policy(
            UNTAGGED,
            rule(2, "sinceImagePushed", 5),
            rule(3, "sinceImageTransitioned", 90, status="untagged", **archive),
            rule(4, "sinceImageTransitioned", 90, **archive),
        )
    )


NEVER: list[tuple[dict[str, Any], list[str]]] = [
    (
        policy(keep(1, 1, "v*"), keep(2, 1, "*", "v1*")),
        ["rules[1] never acts: every image that it selects belongs to the rule of priority 1."],
    ),
    (
        policy(rule(1, "imageCountMoreThan", 1, prefixes=["v"]), keep(2, 5, "v*2")),
        ["rules[1] never acts: every image that it selects belongs to the rule of priority 1."],
    ),
    (
        policy(UNTAGGED, keep(2, 5, "*"), keep(3, 9)),
        ["rules[2] never acts: every image that it selects belongs to the rules of priority 1 or 2."],
    ),
    (policy(keep(1, 1, "a b*")), ['rules[0] never acts: no tag can match "a b*".']),
    (policy(keep(1, 1, "-v*")), ['rules[0] never acts: no tag can match "-v*".']),
    (
        policy(rule(1, "imageCountMoreThan", 1, prefixes=["v*"])),
        [
            'rules[0] never acts: no tag can begin with "v*", as a prefix takes no wildcard; a tagPatternList does.',
        ],
    ),
    (policy(UNTAGGED, keep(2, 5, "v*"), keep(3, 9)), []),
    (policy(keep(1, 1, "v*", "prod"), keep(2, 1, "v*")), []),
    (policy(keep(1, 1, "v1*"), keep(2, 1, "v*")), []),
    (policy(keep(2, 1, "v*"), keep(1, 1, "v1*")), []),
]


@pytest.mark.parametrize(("document", "said"), NEVER)
def test_a_rule_that_no_image_is_left_for_is_named(document: dict[str, Any], said: list[str]) -> None:
    assert warnings(document) == said
