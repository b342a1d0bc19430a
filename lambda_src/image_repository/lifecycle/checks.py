"""Refuses lifecycle policies that AWS would refuse, all that is wrong at once, and finds rules that never act."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from lambda_src.image_repository.lifecycle.policy import (
    Action,
    CountType,
    Policy,
    Rule,
    StorageClass,
    TagStatus,
    text_of,
)
from lambda_src.image_repository.lifecycle.tags import ANY_TAG, TagPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from enum import Enum

_MOST_RULES = 50
_MOST_CHARACTERS = 30_720
_MOST_WILDCARDS = 4
#: AWS bills an archived image for so many days, and lets no rule delete it earlier.
_LEAST_DAYS_IN_ARCHIVE = 90
#: The integers of AWS's API have 32 bits.
_LARGEST_INTEGER = 2**31 - 1
_TAG_LISTS = ("tagPatternList", "tagPrefixList")


@dataclass(frozen=True)
class Note:
    """What is wrong or odd about a policy, and where: ``rules[0].selection.countNumber``."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path} {self.text}"


@dataclass(frozen=True)
class Checked:
    """What came of a check: a policy if there are no problems."""

    policy: Policy | None
    problems: Sequence[Note]
    #: Rules that AWS takes, and that never act.
    warnings: Sequence[Note]


def check(document: object) -> Checked:
    """Check a lifecycle policy's document, the ``rules`` and all that is in them.

    Sources: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html,
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html and
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
    """
    found = _Found()
    try:
        text = text_of(document)
        text.encode()
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        found.add("policy", f"cannot be written as JSON: {error}")
        return Checked(None, found.problems, [])
    found.require(
        len(text) <= _MOST_CHARACTERS, "policy", f"has {len(text):,} characters", f"{_MOST_CHARACTERS:,} at most"
    )
    policy = found.object(document, "policy", required=["rules"])
    rules = found.value(policy, "rules", "rules", list, "a list")
    if rules is not None:
        found.require(1 <= len(rules) <= _MOST_RULES, "rules", f"has {len(rules)}", f"1 to {_MOST_RULES} rules")
        selected = [_check_rule(found, f"rules[{index}]", rule) for index, rule in enumerate(rules)]
        _check_priorities(found, selected)
        for storage_class in StorageClass:
            _check_together(found, [one for one in selected if one.storage_class is storage_class])
    if found.problems:
        return Checked(None, found.problems, [])
    return Checked(Policy.of(policy), [], list(_never_acting([*map(Rule.of, policy["rules"])])))


@dataclass
class _Found:
    """Collects problems, and reads values of the kind that they must be of."""

    problems: list[Note] = field(default_factory=list)

    def add(self, path: str, text: str) -> None:
        self.problems.append(Note(path, text))

    def require(self, holds: bool, path: str, what: str, permitted: str) -> None:
        if not holds:
            self.add(path, f"{what}: {permitted}")

    def object(
        self, value: object, path: str, *, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return ``value`` if it is an object; AWS refuses properties that it does not know."""
        if not isinstance(value, dict):
            self.add(path, f"is {_shown(value)}: an object")
            return {}
        known = [*required, *optional]
        within = "" if path == "policy" else f"{path}."
        for name in value:
            if name not in known:
                guess = get_close_matches(name, known, n=1)
                self.add(
                    f"{within}{_named(name)}",
                    f"is unknown: {f'did you mean {guess[0]}?' if guess else ', '.join(known)}",
                )
        for name in required:
            if name not in value:
                self.add(f"{within}{name}", "is missing")
        return value

    def value(self, of: dict[str, Any], name: str, path: str, kind: type, permitted: str) -> Any:
        """Return a property if it is there and of its kind."""
        if name not in of:
            return None
        # A bool is an int to Python, and not to JSON.
        if isinstance(of[name], kind) and not (kind is int and isinstance(of[name], bool)):
            return of[name]
        self.add(path, f"is {_shown(of[name])}: {permitted}")
        return None

    def integer(self, of: dict[str, Any], name: str, path: str, least: int = 1) -> int | None:
        """Return a property if it is a number that AWS takes."""
        permitted = "a whole number, 1 or more"
        number: int | None = self.value(of, name, path, int, permitted)
        if number is None:
            return None
        self.require(1 <= number <= _LARGEST_INTEGER, path, f"is {_shown(number)}", permitted)
        self.require(
            number < 1 or number >= least,
            path,
            f"is {_shown(number)}",
            f"{least} or more, as AWS deletes no image that was archived for fewer days",
        )
        return number

    def choice(self, of: dict[str, Any], name: str, path: str, permitted: Iterable[Enum]) -> Any:
        """Return a property as the member of ``permitted`` that it names."""
        if name not in of:
            return None
        for member in permitted:
            if of[name] == member.value:
                return member
        self.add(path, f"is {_shown(of[name])}: {' or '.join(member.value for member in permitted)}")
        return None


@dataclass(frozen=True)
class _Selected:
    """What is known of a rule that may be wrong, to hold it against the others."""

    path: str
    priority: int | None
    storage_class: StorageClass | None
    tag_status: TagStatus | None
    tags: frozenset[TagPattern]


def _check_rule(found: _Found, path: str, value: object) -> _Selected:
    rule = found.object(value, path, required=["rulePriority", "selection", "action"], optional=["description"])
    priority = found.integer(rule, "rulePriority", f"{path}.rulePriority")
    found.value(rule, "description", f"{path}.description", str, "a text")
    selection, within = {}, f"{path}.selection"
    if "selection" in rule:
        selection = found.object(
            rule["selection"],
            within,
            required=["tagStatus", "countType", "countNumber"],
            optional=[*_TAG_LISTS, "storageClass", "countUnit"],
        )
    tag_status = found.choice(selection, "tagStatus", f"{within}.tagStatus", TagStatus)
    tags = _check_tags(found, within, selection, tag_status)
    count_type = found.choice(selection, "countType", f"{within}.countType", CountType)
    storage_class = _check_count(found, within, selection, count_type)
    if "action" in rule:
        _check_action(found, f"{path}.action", rule["action"], count_type)
    return _Selected(path, priority, storage_class, tag_status, tags)


def _check_tags(
    found: _Found, within: str, selection: dict[str, Any], tag_status: TagStatus | None
) -> frozenset[TagPattern]:
    given = [name for name in _TAG_LISTS if name in selection]
    if tag_status is TagStatus.TAGGED:
        found.require(len(given) > 0, within, "has no tags", "tagged needs a tagPatternList or a tagPrefixList")
        found.require(len(given) < 2, within, "has two lists of tags", "either tagPatternList or tagPrefixList")
    elif tag_status is not None:
        for name in given:
            found.add(f"{within}.{name}", f"is given: not for {tag_status.value} images, only for tagged ones")
    patterns = []
    for name in given:
        path = f"{within}.{name}"
        listed = found.value(selection, name, path, list, "a list")
        found.require(listed != [], path, "is empty", "one text or more")
        for index, text in enumerate(listed or []):
            if not isinstance(text, str) or not text:
                found.add(f"{path}[{index}]", f"is {_shown(text)}: a text that is not empty")
            elif name == "tagPatternList":
                stars = text.count("*")
                found.require(
                    stars <= _MOST_WILDCARDS,
                    f"{path}[{index}]",
                    f"is {_shown(text)}",
                    f"{_MOST_WILDCARDS} wildcards at most",
                )
                patterns.append(TagPattern.of_pattern(text))
            else:
                patterns.append(TagPattern.of_prefix(text))
    return frozenset(patterns)


def _check_count(
    found: _Found, within: str, selection: dict[str, Any], count_type: CountType | None
) -> StorageClass | None:
    archived = count_type is CountType.SINCE_IMAGE_TRANSITIONED
    found.integer(selection, "countNumber", f"{within}.countNumber", least=_LEAST_DAYS_IN_ARCHIVE if archived else 1)
    storage_class = found.choice(selection, "storageClass", f"{within}.storageClass", StorageClass)
    if count_type is None:
        return None
    unit = selection.get("countUnit")
    if count_type is CountType.IMAGE_COUNT_MORE_THAN:
        found.require("countUnit" not in selection, f"{within}.countUnit", "is given", "not for imageCountMoreThan")
    elif "countUnit" not in selection:
        found.add(f"{within}.countUnit", f"is missing: days, for {count_type.value}")
    else:
        found.require(unit == "days", f"{within}.countUnit", f"is {_shown(unit)}", "days")
    needed = StorageClass.ARCHIVE if archived else StorageClass.STANDARD
    found.require(
        not archived or "storageClass" in selection,
        f"{within}.storageClass",
        "is missing",
        "archive, for sinceImageTransitioned",
    )
    found.require(
        storage_class in {None, needed},
        f"{within}.storageClass",
        f"is {storage_class and storage_class.value}",
        f"{needed.value}, for {count_type.value}",
    )
    return needed


def _check_action(found: _Found, path: str, value: object, count_type: CountType | None) -> None:
    action = found.object(value, path, required=["type"], optional=["targetStorageClass"])
    kind = found.choice(action, "type", f"{path}.type", Action)
    if kind is Action.EXPIRE:
        found.require("targetStorageClass" not in action, f"{path}.targetStorageClass", "is given", "not for expire")
    elif kind is Action.TRANSITION and "targetStorageClass" not in action:
        found.add(f"{path}.targetStorageClass", "is missing: archive, for transition")
    else:
        found.choice(action, "targetStorageClass", f"{path}.targetStorageClass", [StorageClass.ARCHIVE])
    if count_type is CountType.SINCE_IMAGE_PULLED:
        found.require(
            kind is not Action.EXPIRE,
            f"{path}.type",
            "is expire",
            "transition, for sinceImagePulled; another rule can expire what it archived, by sinceImageTransitioned",
        )
    if count_type is CountType.SINCE_IMAGE_TRANSITIONED:
        found.require(
            kind is not Action.TRANSITION, f"{path}.type", "is transition", "expire, for sinceImageTransitioned"
        )


def _check_priorities(found: _Found, rules: Sequence[_Selected]) -> None:
    first: dict[int, str] = {}
    for rule in rules:
        if rule.priority is not None and first.setdefault(rule.priority, rule.path) != rule.path:
            found.add(f"{rule.path}.rulePriority", f"is {rule.priority}: {first[rule.priority]} has it already")


def _check_together(found: _Found, rules: Sequence[_Selected]) -> None:
    """Check the rules of one storage class against each other."""
    untagged = [rule for rule in rules if rule.tag_status is TagStatus.UNTAGGED]
    for rule in untagged[1:]:
        found.add(
            f"{rule.path}.selection.tagStatus", f"is untagged: {untagged[0].path} selects the untagged images already"
        )
    prioritized = [rule.priority for rule in rules if rule.priority is not None]
    for rule in rules:
        if rule.tag_status is TagStatus.ANY and rule.priority is not None:
            found.require(
                rule.priority == max(prioritized),
                f"{rule.path}.rulePriority",
                f"is {rule.priority}",
                f"above {max(prioritized)}, as the rule for any image is the last of its storage class",
            )
    anys = [rule for rule in rules if rule.tag_status is TagStatus.ANY]
    for rule in anys[1:]:
        found.add(f"{rule.path}.selection.tagStatus", f"is any: {anys[0].path} is the rule for any image already")
    first: dict[frozenset[TagPattern], str] = {}
    for rule in rules:
        if rule.tags and first.setdefault(rule.tags, rule.path) != rule.path:
            found.add(f"{rule.path}.selection", f"has the tags of {first[rule.tags]}: one rule for the same tags")


def _never_acting(rules: Sequence[Rule]) -> Iterator[Note]:
    """Name the rules that no image is left for, and the tags that no image can have."""
    for index, rule in enumerate(rules):
        for pattern in rule.patterns:
            if not pattern.possible:
                text, *_ = pattern.parts
                why = (
                    f"no tag can begin with {_shown(text)}, as a prefix takes no wildcard; a tagPatternList does"
                    if "*" in text
                    else f"no tag can match {_shown(str(pattern))}"
                )
                yield Note(f"rules[{index}]", f"never acts: {why}.")
        before = [one for one in rules if one.priority < rule.priority and one.storage_class is rule.storage_class]
        takers = [next((one for one in before if _takes(one, case)), None) for case in _cases(rule)]
        if all(takers):
            numbers = dict.fromkeys(str(one.priority) for one in takers if one)
            yield Note(
                f"rules[{index}]",
                f"never acts: every image that it selects belongs to the rule{'s' * (len(numbers) > 1)} of priority "
                f"{' or '.join(numbers)}.",
            )


def _cases(rule: Rule) -> list[tuple[TagPattern, ...]]:
    """List the kinds of images that a rule selects; an empty one is of images without a tag."""
    if rule.tag_status is TagStatus.ANY:
        return [(), (ANY_TAG,)]
    return [rule.patterns]


def _takes(rule: Rule, case: tuple[TagPattern, ...]) -> bool:
    """Say whether a rule selects every image of a case."""
    match rule.tag_status:
        case TagStatus.ANY:
            return True
        case TagStatus.UNTAGGED:
            return not case
        case TagStatus.TAGGED:
            return all(any(pattern.covers(other) for other in case) for pattern in rule.patterns)


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _named(name: str) -> str:
    return name if name.isidentifier() else _shown(name)
