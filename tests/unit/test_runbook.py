"""A runbook reports what its checks found out, and never more."""

from __future__ import annotations

import subprocess
import sys
from email.message import Message
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from lab.eks_anywhere.connector import LeftBehindError
from lab.errors import LabError
from lab.runbook import Evidence, NotMadeError, Outcome, Runbook, wait_for
from lab.target import TargetName

if TYPE_CHECKING:
    from lab import runbook


def deployed(target: TargetName = TargetName.LOCAL) -> Any:
    return SimpleNamespace(section=SimpleNamespace(id="a-section"), target=SimpleNamespace(name=target))


def report_of(book: Runbook, target: TargetName = TargetName.LOCAL) -> runbook.Report:
    return book.run(deployed(target), before=lambda _: None, after=lambda _: None)


def book_with(*outcomes: Any, evidence: Evidence = Evidence.EMULATED) -> Runbook:
    """Make a runbook whose checks return or raise these."""
    book = Runbook()
    for number, outcome in enumerate(outcomes):

        def find_out(_: Any, outcome: Any = outcome) -> str:
            """Say why it needs AWS."""
            if isinstance(outcome, Exception):
                raise outcome
            return str(outcome)

        find_out.__name__ = f"check_number_{number}"
        book.check(f"claim {number}", evidence=evidence)(find_out)
    return book


def test_every_check_is_made_whatever_came_of_the_others() -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListQueues")
    report = report_of(book_with("seen", AssertionError("3 missing"), NotMadeError("no engine"), refused, "seen too"))

    assert [result.outcome for result in report.results] == [
        Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.FAILED, Outcome.PASSED,
    ]  # fmt: skip
    assert [result.detail for result in report.results][:3] == ["seen", "3 missing", "no engine"]
    assert "AccessDenied" in report.results[3].detail


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (HTTPError("http://127.0.0.1", 502, "Bad Gateway", Message(), None), "HTTP Error 502: Bad Gateway"),
        (ConnectionResetError("the connection was reset"), "the connection was reset"),
        (TimeoutError("timed out"), "timed out"),
        (LabError("The role cannot be assumed."), "The role cannot be assumed."),
    ],
)
def test_a_request_that_fails_fails_its_check_alone(error: Exception, said: str) -> None:
    report = report_of(book_with(error, "seen"))

    assert [result.outcome for result in report.results] == [Outcome.FAILED, Outcome.PASSED]
    assert report.results[0].detail == said


def test_the_json_counts_what_it_lists() -> None:
    shown = report_of(book_with("seen", AssertionError("wrong"), NotMadeError("cannot"))).as_json()

    assert list(shown) == ["section", "target", "checks", "passed", "failed", "skipped", "seconds"]
    assert (shown["passed"], shown["failed"], shown["skipped"]) == (1, 1, 1)
    assert shown["checks"][0] == {
        "id": "check-number-0", "title": "claim 0", "evidence": "emulated", "outcome": "passed", "detail": "seen",
    }  # fmt: skip


def test_a_check_for_aws_only_is_not_made_on_the_emulator_and_says_why() -> None:
    book = book_with("seen", evidence=Evidence.AWS_ONLY)
    [local], [on_aws] = report_of(book).results, report_of(book, TargetName.AWS).results

    assert (local.outcome, local.evidence) == (Outcome.SKIPPED, Evidence.AWS_ONLY)
    assert local.detail == "Runs with --target aws: Say why it needs AWS."
    assert (on_aws.outcome, on_aws.evidence) == (Outcome.PASSED, Evidence.AWS)


@pytest.mark.parametrize("evidence", [Evidence.EMULATED, Evidence.REAL_CONTAINER, Evidence.CONTROL_PLANE_ONLY])
def test_on_aws_nothing_is_called_emulated(evidence: Evidence) -> None:
    [result] = report_of(book_with("seen", evidence=evidence), TargetName.AWS).results
    assert result.evidence is Evidence.AWS


@pytest.mark.parametrize("evidence", [Evidence.TEMPLATE, Evidence.OFFLINE])
def test_what_rests_on_no_service_is_the_same_on_aws(evidence: Evidence) -> None:
    [result] = report_of(book_with("seen", evidence=evidence), TargetName.AWS).results
    assert result.evidence is evidence


def test_ctrl_c_ends_the_runbook_also_where_something_was_left_behind() -> None:
    with pytest.raises(LeftBehindError):
        report_of(book_with(LeftBehindError("Interrupted", ["a registration"], interrupted=True), "seen"))


@pytest.mark.parametrize("mistake", [KeyError("a mistake in the check"), FileNotFoundError("a file it forgot")])
def test_an_error_of_the_runbook_itself_is_not_taken_for_a_finding(mistake: Exception) -> None:
    with pytest.raises(type(mistake)):
        report_of(book_with(mistake))


def test_without_assertions_no_runbook_runs() -> None:
    code = "from lab.runbook import Runbook; Runbook().run(None, before=None, after=None)"
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "without assertions" in done.stderr


def test_waiting_ends_as_soon_as_it_holds() -> None:
    answers = iter([False, False, True])
    assert wait_for(lambda: next(answers), seconds=30)


def test_waiting_ends_when_the_time_is_over() -> None:
    assert not wait_for(lambda: False, seconds=0.1)
