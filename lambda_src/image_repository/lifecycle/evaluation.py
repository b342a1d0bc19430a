"""What a lifecycle policy does to each image of a repository, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from lambda_src.image_repository.lifecycle.policy import Action, CountType, Rule, StorageClass, TagStatus
from lambda_src.image_repository.lifecycle.tags import searchable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from lambda_src.image_repository.lifecycle.policy import Policy

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Image:
    """An image as ``DescribeImages`` knows it; every time is aware of its zone."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    #: None while it is on its way back from the archive.
    storage_class: StorageClass | None = StorageClass.STANDARD
    last_pulled_at: datetime | None = None
    #: When it was last moved to the archive.
    last_archived_at: datetime | None = None
    #: When it was last restored from the archive.
    last_activated_at: datetime | None = None
    #: The images that it refers to, if it is a manifest list.
    manifests: tuple[str, ...] = ()
    #: The image that it says something about, if it is a reference artifact: a signature, a list of materials.
    subject: str | None = None

    @property
    def counts_from(self) -> datetime:
        """When it was pushed, or restored from the archive since."""
        return self.last_activated_at or self.pushed_at

    def since(self, count_type: CountType) -> tuple[str, datetime | None]:
        """Say what happened to it that a rule counts the days from, and when."""
        if count_type is CountType.SINCE_IMAGE_TRANSITIONED:
            return "archived", self.last_archived_at
        pulled, restored = self.last_pulled_at, self.last_activated_at
        if count_type is CountType.SINCE_IMAGE_PULLED and pulled and (not restored or pulled >= restored):
            return "pulled", pulled
        return ("restored", restored) if restored else ("pushed", self.pushed_at)


class Cause(Enum):
    """Why an image goes, or stays."""

    #: No rule selects it.
    UNSELECTED = "unselected"
    #: The first rule that selects it has no reason to act.
    SPARED = "spared"
    #: The first rule that selects it acts.
    MARKED = "marked"
    #: That rule would, but a manifest list refers to the image.
    LISTED = "listed"
    #: It is a reference artifact, and its subject goes.
    FOLLOWS = "follows"


_ACTING = (Cause.MARKED, Cause.FOLLOWS)


class Decision(NamedTuple):
    """What becomes of an image."""

    image: Image
    cause: Cause
    #: The first rule that selects it, which alone may act on it; of an artifact that follows, its subject's.
    rule: Rule | None
    #: From the newest of the images that the rule selects, for a rule that counts them.
    position: int
    at: datetime
    #: The manifest list that refers to it, or the subject that it follows.
    other: str | None = None

    @property
    def action(self) -> Action | None:
        """What happens to it: nothing, if it stays."""
        return self.rule.action if self.rule and self.cause in _ACTING else None

    @property
    def reason(self) -> str:
        """Say why, in a sentence without its end."""
        if self.rule is None:
            return "no rule selects it" if self.image.storage_class else "it is being restored from the archive"
        named = f"rule {self.rule.priority}"
        if self.cause is Cause.FOLLOWS:
            return f"it refers to {self.other}, which goes by {named}"
        if self.rule.count_type is CountType.IMAGE_COUNT_MORE_THAN:
            why = f"{named} keeps {self.rule.count_number:,}, and it is number {self.position:,} from the newest"
        else:
            what, when = self.image.since(self.rule.count_type)
            ago = f"{(self.at - when) / _DAY:,.1f} days ago" if when else "nobody knows when"
            why = f"{named} keeps it for {self.rule.count_number:,} days, and it was {what} {ago}"
        return f"{why}; but the manifest list {self.other} refers to it" if self.cause is Cause.LISTED else why


def evaluate(policy: Policy, images: Iterable[Image], at: datetime) -> list[Decision]:
    """Decide what a policy does to each image at a time, the newest image first.

    As AWS documents it: every rule is evaluated over all images that it selects, whatever other rules do to them. It
    can then act only on those that no rule of a higher priority selects, whether or not that rule acts. An image
    that a manifest list refers to stays while the list is there, for a later evaluation to take, and the artifacts
    that refer to an image go where it goes.

    Where the documentation is silent: of images pushed in the same moment the one with the lower digest counts as
    the older; an image that a manifest list holds counts among the images that a rule keeps; and the age of an image
    that was restored from the archive is from then, as its order is.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
    """
    # One after the other is faster than by pairs, and the second sort leaves what is equal in the order of the first.
    newest_first = sorted(images, key=attrgetter("digest"), reverse=True)
    newest_first.sort(key=attrgetter("counts_from"), reverse=True)
    lists = {
        digest: image.digest
        for image in newest_first
        if image.manifests and image.storage_class is not StorageClass.ARCHIVE
        for digest in image.manifests
    }
    decisions = _decided(policy, newest_first, at)
    if lists:
        decisions = [
            decision._replace(cause=Cause.LISTED, other=lists[decision.image.digest])
            if decision.cause is Cause.MARKED and decision.image.digest in lists
            else decision
            for decision in decisions
        ]
    return _with_artifacts(decisions, lists)


def _decided(policy: Policy, newest_first: Sequence[Image], at: datetime) -> list[Decision]:
    """Give each image to the first rule that selects it, and see whether that rule has a reason to act."""
    tags = [searchable(image.tags) for image in newest_first]
    # In columns, as there may be 100,000 images.
    causes = [Cause.UNSELECTED] * len(newest_first)
    owners: list[Rule | None] = [None] * len(newest_first)
    positions = [0] * len(newest_first)
    spared, marked = Cause.SPARED, Cause.MARKED
    classes = [image.storage_class for image in newest_first]
    for storage_class in {rule.storage_class for rule in policy.rules}:
        everything = [index for index, found in enumerate(classes) if found is storage_class]
        for rule in policy.rules:
            if rule.storage_class is not storage_class:
                continue
            if rule.count_type is CountType.IMAGE_COUNT_MORE_THAN:
                for position, index in enumerate(_selected(rule, everything, tags), start=1):
                    if owners[index] is None:
                        owners[index], positions[index] = rule, position
                        causes[index] = marked if position > rule.count_number else spared
            else:
                longest = min(rule.count_number, timedelta.max.days) * _DAY
                for index in _selected(rule, [index for index in everything if owners[index] is None], tags):
                    owners[index] = rule
                    _, when = newest_first[index].since(rule.count_type)
                    causes[index] = marked if when and at - when > longest else spared
    return [*map(Decision, newest_first, causes, owners, positions, repeat(at))]


def _selected(rule: Rule, among: list[int], tags: Sequence[str]) -> list[int]:
    """Find the images that a rule's tags are about, in the order in which they are given."""
    if rule.tag_status is TagStatus.UNTAGGED:
        return [index for index in among if not tags[index]]
    for pattern in rule.patterns:
        matches = pattern.finder
        among = [index for index in among if matches(tags[index])]
    return among


def _with_artifacts(decisions: list[Decision], lists: Mapping[str, str]) -> list[Decision]:
    """Have reference artifacts go where their subjects go, and what refers to those with them."""
    artifacts: dict[str, list[str]] = {}
    for image in (decision.image for decision in decisions):
        if image.subject and image.digest not in lists:
            artifacts.setdefault(image.subject, []).append(image.digest)
    if not artifacts:
        return decisions
    by_digest = {decision.image.digest: decision for decision in decisions}
    going = [decision for decision in decisions if decision.action]
    while going:
        subject = going.pop()
        for artifact in map(by_digest.__getitem__, artifacts.get(subject.image.digest, ())):
            archived = artifact.image.storage_class is StorageClass.ARCHIVE and subject.action is Action.TRANSITION
            if not (artifact.action or archived):
                follows = artifact._replace(cause=Cause.FOLLOWS, rule=subject.rule, other=subject.image.digest)
                by_digest[artifact.image.digest] = follows
                going.append(follows)
    return [by_digest[decision.image.digest] for decision in decisions]
