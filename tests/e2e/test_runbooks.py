"""Every section of the catalog deploys with the CDK CLI, and its runbook finds every claim to be true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.runbook import Evidence
from lab_stacks.catalog import SECTIONS, CatalogEntry

if TYPE_CHECKING:
    from .conftest import Lab


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_the_runbook_passes(lab: Lab, section: CatalogEntry) -> None:
    report = json.loads(lab("run", section.id, "--json").stdout)

    assert (report["section"], report["target"]) == (section.id, "local")
    assert report["failed"] == 0
    assert report["passed"] > 0
    outcomes = [check["outcome"] for check in report["checks"]]
    assert [report[outcome] for outcome in ("passed", "failed", "skipped")] == [
        outcomes.count(outcome) for outcome in ("passed", "failed", "skipped")
    ]
    assert report["seconds"] > 0
    local = {evidence.value for evidence in Evidence} - {Evidence.AWS.value}
    for check in report["checks"]:
        assert set(check) == {"id", "title", "evidence", "outcome", "detail"}
        assert check["evidence"] in local
        assert check["detail"], f"{check['id']} does not say what it saw, or why it was skipped"
        if check["evidence"] == Evidence.AWS_ONLY.value:
            assert check["outcome"] == "skipped"


def test_what_was_deployed_is_shown_as_such(lab: Lab) -> None:
    for section in SECTIONS:
        lab("up", section.id)
    states = json.loads(lab("status", "--json").stdout)["sections"]
    assert set(states) == {section.id for section in SECTIONS}
    assert all(state.endswith("_COMPLETE") for state in states.values()), states


def test_nothing_is_left_to_deploy(lab: Lab) -> None:
    for section in SECTIONS:
        lab("diff", section.id, "--fail")
