"""A runbook: checks that use a deployed section, each with what its evidence is and what it saw."""

from __future__ import annotations

import time
import urllib.error
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.errors import LabError
from lab.target import TargetName

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.deployment import Deployment
    from lab_stacks.catalog import CatalogEntry


# What comes of a request that is refused, or not answered. No OSError: a file that the check lacks is its own mistake.
_NO_ANSWER = (LabError, ClientError, BotoCoreError, urllib.error.URLError, ConnectionError, TimeoutError)
# The exit status of a LabError that Ctrl-C led to.
_INTERRUPTED = 130


class Evidence(str, Enum):
    """What a check rests on, so that nobody takes an emulation for AWS.

    ``OFFLINE`` is what the project's own programs compute from files: nothing of it was deployed.
    """

    EMULATED = "emulated"
    REAL_CONTAINER = "real container"
    REAL_DATABASE = "real PostgreSQL"
    TEMPLATE = "template"
    OFFLINE = "offline"
    CONTROL_PLANE_ONLY = "control plane only"
    AWS_ONLY = "AWS only"
    AWS = "AWS"


_THE_SAME_ON_AWS = {Evidence.TEMPLATE, Evidence.OFFLINE}


class Outcome(str, Enum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class NotMadeError(Exception):
    """Raised by a check that could not be made; the message is the reason."""


@dataclass(frozen=True)
class Check:
    """One claim, and the function that finds out whether it holds.

    The function returns what it saw, or raises: ``AssertionError`` where the claim is wrong, ``NotMadeError`` where
    it could not find out. A request that fails, and a ``LabError``, fail the check too.
    """

    id: str
    title: str
    evidence: Evidence
    find_out: Callable[[Deployment], str]


@dataclass(frozen=True)
class Result:
    """What came of one check."""

    check: Check
    evidence: Evidence
    outcome: Outcome
    detail: str

    def as_json(self) -> dict[str, str]:
        """Return the object that ``lab run --json`` prints for it."""
        return {
            "id": self.check.id,
            "title": self.check.title,
            "evidence": self.evidence.value,
            "outcome": self.outcome.value,
            "detail": self.detail,
        }


@dataclass
class Report:
    """What came of a whole runbook."""

    section: str
    target: str
    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, outcome: Outcome) -> int:
        """Count the checks that ended so."""
        return sum(result.outcome is outcome for result in self.results)

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``lab run --json`` prints."""
        return {
            "section": self.section,
            "target": self.target,
            "checks": [result.as_json() for result in self.results],
            **{outcome.value: self.count(outcome) for outcome in Outcome},
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True)
class Exhibit:
    """Something that a check left behind and that a person would look at in the console: a table."""

    title: str
    columns: list[str]
    rows: list[list[str]]


class Runbook:
    """The checks of one section, in the order in which they are written."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        #: Makes the table that is shown to a person after the checks.
        self.exhibit: Callable[[Deployment], Exhibit] | None = None

    def check(
        self, title: str, *, evidence: Evidence
    ) -> Callable[[Callable[[Deployment], str]], Callable[[Deployment], str]]:
        """Add the decorated function as a check.

        :param title: the claim, a sentence that is true when the check passes.
        :param evidence: what it rests on when it runs locally; on AWS it rests on AWS. With ``AWS_ONLY`` it is made
            on AWS alone.
        """

        def add(find_out: Callable[[Deployment], str]) -> Callable[[Deployment], str]:
            self.checks.append(Check(find_out.__name__.replace("_", "-"), title, evidence, find_out))
            return find_out

        return add

    def show(self, exhibit: Callable[[Deployment], Exhibit]) -> Callable[[Deployment], Exhibit]:
        """Show what the decorated function returns, after the checks."""
        self.exhibit = exhibit
        return exhibit

    def run(self, deployed: Deployment, *, before: Callable[[Check], None], after: Callable[[Result], None]) -> Report:
        """Make every check, whatever came of the ones before.

        :param before: told of each check that is about to be made.
        :param after: told what came of it.
        """
        if not __debug__:
            raise LabError("Python runs without assertions (-O or PYTHONOPTIMIZE), and every check rests on them.")
        started = time.monotonic()
        report = Report(deployed.section.id, deployed.target.name.value)
        for check in self.checks:
            before(check)
            result = _made(check, deployed)
            report.results.append(result)
            after(result)
        report.seconds = time.monotonic() - started
        return report


def of(section: CatalogEntry) -> Runbook:
    """Load the runbook of a section."""
    found: Runbook = import_module(f"lab.runbooks.{section.module}").runbook
    return found


def wait_for(holds: Callable[[], bool], *, seconds: float = 60) -> bool:
    """Ask again and again whether something holds, until it does or the time is over; say which."""
    deadline = time.monotonic() + seconds
    pause = 0.05
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 2)
    return True


def _made(check: Check, deployed: Deployment) -> Result:
    on_aws = deployed.target.name is TargetName.AWS
    if check.evidence is Evidence.AWS_ONLY and not on_aws:
        reason = (check.find_out.__doc__ or "").strip().splitlines()[0]
        return Result(check, check.evidence, Outcome.SKIPPED, f"Runs with --target aws: {reason}")
    evidence = check.evidence
    if on_aws and evidence not in _THE_SAME_ON_AWS:
        evidence = Evidence.AWS
    try:
        return Result(check, evidence, Outcome.PASSED, check.find_out(deployed))
    except NotMadeError as reason:
        return Result(check, evidence, Outcome.SKIPPED, str(reason))
    except AssertionError as error:
        return Result(check, evidence, Outcome.FAILED, str(error) or "the claim does not hold")
    except _NO_ANSWER as error:
        if getattr(error, "exit_status", None) == _INTERRUPTED:
            raise
        return Result(check, evidence, Outcome.FAILED, str(error))
