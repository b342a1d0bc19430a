"""Every section of the catalog deploys with the CDK CLI, and its runbook finds every claim to be true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.runbook import Evidence
from lab_stacks.catalog import SECTIONS, CatalogEntry

if TYPE_CHECKING:
    from .conftest import Lab


@pytest.mark.parametrize("entry", SECTIONS, ids=lambda entry: entry.id)
def test_the_runbook_passes(lab: Lab, entry: CatalogEntry) -> None:
    report = json.loads(lab("run", entry.id, "--json").stdout)

    assert (report["section"], report["target"]) == (entry.id, "local")
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


@pytest.fixture(scope="module")
def everything(lab: Lab) -> None:
    lab("up")


@pytest.mark.usefixtures("everything")
def test_what_was_deployed_is_shown_as_such(lab: Lab) -> None:
    states = json.loads(lab("status", "--json").stdout)["sections"]
    assert set(states) == {entry.id for entry in SECTIONS}
    assert all(state.endswith("_COMPLETE") for state in states.values()), states


@pytest.mark.usefixtures("everything")
def test_nothing_is_left_to_deploy(lab: Lab) -> None:
    shown = lab("diff", "--fail").stdout
    looked_at = [line.split()[1] for line in shown.splitlines() if line.startswith("Stack ")]
    assert looked_at == [entry.stack_id for entry in SECTIONS]


VARIANTS = [pytest.param(entry, name, id=f"{entry.id}.{name}") for entry in SECTIONS for name in entry.variants]
# What makes these another form of the stack, the emulator knows.
WHOLLY_EMULATED = {"eks-anywhere.packages", "sar.nested"}
# What a variant takes for granted: the application that a stack nests was published before.
BEFORE = {"sar.nested": [("up", "sar"), ("sar", "package"), ("sar", "publish")]}


@pytest.mark.parametrize(("entry", "variant"), VARIANTS)
def test_a_variant_deploys_without_what_the_emulator_does_not_know(
    lab: Lab, without_engine: dict[str, str], entry: CatalogEntry, variant: str
) -> None:
    for before in BEFORE.get(f"{entry.id}.{variant}", []):
        lab(*before, **without_engine)
    words = [word for name, value in entry.variants[variant].items() for word in ("-c", f"{name}={value}")]
    # What differs is the template; the images of others that a variant may run would come from a registry.
    ran = lab("run", entry.id, *words, "--json", **without_engine)
    left_out = "Not emulated, left out of this deployment: " in ran.stderr
    assert left_out == (f"{entry.id}.{variant}" not in WHOLLY_EMULATED)
    report = json.loads(ran.stdout)
    assert report["failed"] == 0
    nested = {check["outcome"] for check in report["checks"] if check["id"] == "nested-here-works"}
    assert nested == ({"passed"} if entry.id == "sar" else set())
