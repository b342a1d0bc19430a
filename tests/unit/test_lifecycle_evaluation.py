"""Every image goes or stays as AWS documents it, whatever the policy and whatever the images."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lambda_src.image_repository.lifecycle.checks import check
from lambda_src.image_repository.lifecycle.evaluation import Cause, Decision, Image, evaluate
from lambda_src.image_repository.lifecycle.policy import Action, CountType, Policy, Rule, StorageClass, TagStatus
from lambda_src.image_repository.lifecycle.tags import TagPattern, searchable
from tests.unit.lifecycle_examples import ARCHIVE, NOW, SYNTAX, WORKED, Example, ago, image, keep, policy, rule


def checked(document: object) -> Policy:
    made = check(document)
    assert made.policy is not None, [str(problem) for problem in made.problems]
    return made.policy


def decided(document: object, *images: Image) -> dict[str, Decision]:
    return {decision.image.digest: decision for decision in evaluate(checked(document), images, NOW)}


def going(document: object, *images: Image) -> set[str]:
    return {digest for digest, decision in decided(document, *images).items() if decision.action}


@pytest.mark.parametrize("example", [*WORKED, *SYNTAX], ids=str)
def test_the_examples_of_the_documentation_come_out_as_it_says(example: Example) -> None:
    decisions = evaluate(checked(example.policy), example.images, NOW)

    acted = {one.image.digest: one.rule.priority for one in decisions if one.action and one.rule}
    assert acted == example.goes
    assert {one.image.digest for one in decisions} == {one.digest for one in example.images}


def test_what_a_rule_of_a_higher_priority_kept_counts_for_a_lower_one_and_is_not_taken_by_it() -> None:
    decisions = decided(
        policy(keep(1, 9, "release-*"), keep(2, 2)),
        image("R", "release-1", pushed=1),
        image("A", "a", pushed=2),
        image("B", "b", pushed=3),
        image("old", "release-0", pushed=99),
    )

    assert {digest for digest, decision in decisions.items() if decision.action} == {"B"}
    assert decisions["B"].reason == "rule 2 keeps 2, and it is number 3 from the newest"
    assert decisions["old"].reason == "rule 1 keeps 9, and it is number 2 from the newest"


def test_an_image_is_too_old_only_after_its_last_moment() -> None:
    document = policy(rule(1, "sinceImagePushed", 7))
    image_of_a_week = image("A", pushed=7)

    assert not going(document, image_of_a_week)
    assert going(document, replace(image_of_a_week, pushed_at=image_of_a_week.pushed_at - timedelta(microseconds=1)))


def test_an_image_that_was_restored_is_as_old_as_its_restoration() -> None:
    restored = image("restored", "a", pushed=500, last_archived_at=ago(400), last_activated_at=ago(1))
    newer, older = image("newer", "b", pushed=0.5), image("older", "c", pushed=2)

    assert going(policy(keep(1, 2)), restored, newer, older) == {"older"}
    decision = decided(policy(rule(1, "sinceImagePushed", 30)), restored)["restored"]
    assert decision.action is None
    assert decision.reason == "rule 1 keeps it for 30 days, and it was restored 1.0 days ago"


def test_an_image_on_its_way_back_from_the_archive_is_left_alone() -> None:
    decision = decided(policy(keep(1, 1)), image("A", pushed=900, storage_class=None))["A"]

    assert (decision.action, decision.reason) == (None, "it is being restored from the archive")


def test_an_archived_image_whose_time_is_unknown_stays() -> None:
    document = policy(rule(1, "sinceImageTransitioned", 90, storageClass="archive"))

    decision = decided(document, image("A", storage_class=StorageClass.ARCHIVE))["A"]

    assert decision.action is None
    assert decision.reason == "rule 1 keeps it for 90 days, and it was archived nobody knows when"


def test_an_image_stays_as_long_as_a_manifest_list_refers_to_it() -> None:
    document = policy(rule(1, "sinceImagePushed", 7, status="untagged"))
    amd, arm, orphan = (image(name, pushed=30) for name in ("amd64", "arm64", "orphan"))
    index = image("index", "v1", pushed=30, manifests=("amd64", "arm64"))

    decisions = decided(document, amd, arm, orphan, index)

    assert {digest for digest, decision in decisions.items() if decision.action} == {"orphan"}
    assert decisions["arm64"].cause is Cause.LISTED
    assert decisions["arm64"].reason.endswith("30.0 days ago; but the manifest list index refers to it")


def test_a_manifest_list_has_to_be_gone_before_its_images_go() -> None:
    document = policy(rule(1, "sinceImagePushed", 7))
    child = image("child", pushed=30)
    index = image("index", "v1", pushed=30, manifests=("child",))

    assert going(document, child, index) == {"index"}
    assert going(document, child) == {"child"}
    archived = replace(index, storage_class=StorageClass.ARCHIVE)
    assert going(document, child, archived) == {"child"}


def test_the_artifacts_of_an_image_go_where_it_goes_and_their_own_artifacts_too() -> None:
    decisions = decided(
        policy(rule(1, "sinceImagePushed", 30, tags=["v*"], action=ARCHIVE)),
        image("subject", "v1", pushed=31),
        image("signature", pushed=1, subject="subject"),
        image("signature of the signature", pushed=1, subject="signature"),
        image("other", pushed=1, subject="somewhere else"),
    )

    assert {digest for digest, one in decisions.items() if one.action is Action.TRANSITION} == {
        "subject",
        "signature",
        "signature of the signature",
    }
    assert decisions["signature"].reason == "it refers to subject, which goes by rule 1"


def test_what_no_rule_selects_says_so() -> None:
    assert decided(policy(keep(1, 1, "v*")), image("A", "latest"))["A"].reason == "no rule selects it"


# What follows holds for any policy and any images.

# A loaded machine takes its time.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
_LETTERS = "ab-"
# As every tag, none of them begins with a hyphen.
TAGS = st.builds("".join, st.tuples(st.sampled_from("ab"), st.text(_LETTERS, max_size=3)))
PATTERNS = st.text(_LETTERS + "*", min_size=1, max_size=5).filter(lambda text: text.count("*") <= 4)
MOMENTS = st.floats(0, 40).map(ago)
SINCE = {CountType.SINCE_IMAGE_PUSHED, CountType.SINCE_IMAGE_PULLED, CountType.SINCE_IMAGE_TRANSITIONED}


@st.composite
def rules(draw: st.DrawFn, count_types: tuple[CountType, ...] = tuple(CountType)) -> dict[str, Any]:
    count_type = draw(st.sampled_from(count_types))
    archived = count_type is CountType.SINCE_IMAGE_TRANSITIONED
    status = draw(st.sampled_from(TagStatus))
    lists: dict[str, list[str]] = {}
    if status is TagStatus.TAGGED:
        kind = draw(st.sampled_from(["tagPatternList", "tagPrefixList"]))
        lists = {kind: draw(st.lists(PATTERNS if kind == "tagPatternList" else TAGS, min_size=1, max_size=2))}
    actions = {CountType.SINCE_IMAGE_PULLED: [ARCHIVE], CountType.SINCE_IMAGE_TRANSITIONED: [{"type": "expire"}]}
    return {
        "rulePriority": 0,
        "selection": {
            "tagStatus": status.value,
            **lists,
            "countType": count_type.value,
            **({"countUnit": "days"} if count_type in SINCE else {}),
            "countNumber": draw(st.integers(90, 400) if archived else st.integers(1, 40)),
            **({"storageClass": "archive"} if archived else {}),
        },
        "action": draw(st.sampled_from(actions.get(count_type, [ARCHIVE, {"type": "expire"}]))),
    }


@st.composite
def documents(draw: st.DrawFn, count_types: tuple[CountType, ...] = tuple(CountType)) -> dict[str, Any]:
    """A policy that AWS would take, its rules in any order."""
    drawn = draw(
        st.lists(
            rules(count_types),
            min_size=1,
            max_size=6,
            unique_by=lambda one: (
                one["selection"]["countType"] == "sinceImageTransitioned",
                one["selection"]["tagStatus"],
                frozenset(one["selection"].get("tagPatternList", ())),
                frozenset(f"{prefix}*" for prefix in one["selection"].get("tagPrefixList", ())),
            ),
        )
    )
    drawn.sort(key=lambda one: one["selection"]["tagStatus"] == "any")
    priorities = sorted(draw(st.sets(st.integers(1, 99), min_size=len(drawn), max_size=len(drawn))))
    written = [{**one, "rulePriority": priority} for one, priority in zip(drawn, priorities, strict=True)]
    document = policy(*draw(st.permutations(written)))
    assume(check(document).policy)
    return document


@st.composite
def repositories(draw: st.DrawFn) -> list[Image]:
    digests = [f"{number:x}" for number in draw(st.permutations(range(draw(st.integers(0, 7)))))]
    others = st.sampled_from([*digests, "elsewhere"])
    return [
        Image(
            digest,
            tuple(draw(st.lists(TAGS, max_size=3, unique=True))),
            draw(MOMENTS),
            draw(st.sampled_from([StorageClass.STANDARD, StorageClass.STANDARD, StorageClass.ARCHIVE, None])),
            last_pulled_at=draw(st.none() | MOMENTS),
            last_archived_at=draw(st.none() | st.floats(0, 400).map(ago)),
            last_activated_at=draw(st.none() | MOMENTS),
            manifests=tuple(draw(st.just([]) | st.lists(others, max_size=2))),
            subject=draw(st.none() | others),
        )
        for digest in digests
    ]


def selects(one: Rule, of: Image) -> bool:
    """What the documentation says of tags, written down once more and more slowly."""
    if one.storage_class is not of.storage_class:
        return False
    if one.tag_status is TagStatus.UNTAGGED:
        return not of.tags
    return all(any(fnmatch.fnmatchcase(tag, str(pattern)) for tag in of.tags) for pattern in one.patterns)


@unhurried
@given(documents(), repositories())
def test_no_image_goes_by_a_rule_when_one_of_a_higher_priority_selects_it(
    document: dict[str, Any], images: list[Image]
) -> None:
    made = checked(document)
    for decision in evaluate(made, images, NOW):
        if decision.cause is Cause.FOLLOWS:
            continue
        selecting = [one for one in made.rules if selects(one, decision.image)]
        assert decision.rule == (selecting[0] if selecting else None)


@unhurried
@given(documents(), repositories())
def test_a_rule_that_counts_keeps_as_many_as_it_says_of_all_that_it_selects(
    document: dict[str, Any], images: list[Image]
) -> None:
    made = checked(document)
    for decision in evaluate(made, images, NOW):
        if decision.cause is Cause.MARKED and decision.rule and decision.rule.count_type not in SINCE:
            newer = [
                one
                for one in images
                if selects(decision.rule, one)
                and (one.counts_from, one.digest) > (decision.image.counts_from, decision.image.digest)
            ]
            assert len(newer) >= decision.rule.count_number


@unhurried
@given(documents(), repositories(), st.randoms())
def test_the_order_of_rules_and_images_does_not_matter(
    document: dict[str, Any], images: list[Image], chance: Any
) -> None:
    before = evaluate(checked(document), images, NOW)
    shuffled, other_images = list(document["rules"]), list(images)
    chance.shuffle(shuffled)
    chance.shuffle(other_images)

    assert evaluate(checked(policy(*shuffled)), other_images, NOW) == before


@unhurried
@given(documents((CountType.SINCE_IMAGE_PUSHED,)), repositories(), st.floats(0, 500))
def test_what_is_too_old_never_becomes_young_again(document: dict[str, Any], images: list[Image], days: float) -> None:
    made = checked(document)

    def gone(later: float) -> set[str]:
        return {one.image.digest for one in evaluate(made, images, NOW + timedelta(days=later)) if one.action}

    assert gone(0) <= gone(days)


@unhurried
@given(documents(), repositories())
def test_each_image_has_one_decision_with_a_reason_and_what_a_list_refers_to_stays(
    document: dict[str, Any], images: list[Image]
) -> None:
    decisions = evaluate(checked(document), images, NOW)

    assert sorted(one.image.digest for one in decisions) == sorted(one.digest for one in images)
    assert all(one.reason for one in decisions)
    assert all(one.rule for one in decisions if one.action)
    listed = {digest for one in images if one.storage_class is not StorageClass.ARCHIVE for digest in one.manifests}
    assert not [one for one in decisions if one.cause is Cause.MARKED and one.image.digest in listed]


@unhurried
@given(documents(), repositories())
def test_a_rule_of_which_it_is_said_that_it_never_acts_never_does(
    document: dict[str, Any], images: list[Image]
) -> None:
    made = check(document)
    never = [document["rules"][int(note.path[6:-1])]["rulePriority"] for note in made.warnings]
    assert made.policy is not None

    acting = {one.rule.priority for one in evaluate(made.policy, images, NOW) if one.action and one.rule}
    assert acting.isdisjoint(never)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def nearly_policies(draw: st.DrawFn) -> Any:
    """A policy in which something was replaced, or left out, or added."""
    document = json.loads(json.dumps(draw(documents())))
    for _ in range(draw(st.integers(1, 3))):
        inside: Any = document
        while isinstance(inside, dict | list) and inside:
            key = draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
            if draw(st.booleans()) or not isinstance(inside[key], dict | list):
                match draw(st.sampled_from(["replace", "remove", "number"])):
                    case "replace":
                        inside[key] = draw(JSON)
                    case "number":
                        inside[key] = draw(st.integers(-1, 10**30))
                    case _:
                        del inside[key]
                break
            inside = inside[key]
    return document


@unhurried
@given(JSON | nearly_policies(), repositories())
def test_a_policy_is_refused_with_reasons_or_can_be_evaluated(document: Any, images: list[Image]) -> None:
    made = check(document)

    assert (made.policy is None) == bool(made.problems)
    assert all(note.path and note.text for note in [*made.problems, *made.warnings])
    if made.policy:
        assert all(one.reason for one in evaluate(made.policy, images, NOW))


@given(PATTERNS, st.lists(TAGS, max_size=3))
def test_a_pattern_matches_as_a_file_name_would(pattern: str, tags: list[str]) -> None:
    expected = any(fnmatch.fnmatchcase(tag, pattern) for tag in tags)

    assert TagPattern.of_pattern(pattern).finder(searchable(tags)) == expected


@given(TAGS, st.lists(TAGS, max_size=3))
def test_a_prefix_matches_what_begins_with_it(prefix: str, tags: list[str]) -> None:
    assert TagPattern.of_prefix(prefix).finder(searchable(tags)) == any(tag.startswith(prefix) for tag in tags)


@given(PATTERNS, PATTERNS, TAGS)
def test_a_pattern_that_covers_another_matches_whatever_that_matches(first: str, second: str, tag: str) -> None:
    if TagPattern.of_pattern(first).covers(TagPattern.of_pattern(second)) and fnmatch.fnmatchcase(tag, second):
        assert fnmatch.fnmatchcase(tag, first)


@pytest.mark.parametrize(
    ("first", "second", "covers"),
    [("*", "v1", True), ("v*", "v1*", True), ("v1*", "v*", False), ("*a*", "*ba*", True), ("a*b", "a*", False)],
)
def test_covering_is_decided_and_not_guessed(first: str, second: str, covers: bool) -> None:
    assert TagPattern.of_pattern(first).covers(TagPattern.of_pattern(second)) is covers
