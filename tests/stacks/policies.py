"""Runs the policy tools: five rule packs of cdk-nag, cfn-lint, and checkov. A finding reads "RULE where"."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import cdk_nag
from cfnlint import ManualArgs
from cfnlint.api import lint_file

from tests.stacks.synthesis import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from constructs import IConstruct

    CheckovFindings = dict[Path, list[str]]

PACKS: dict[str, Callable[[IConstruct], cdk_nag.NagPack]] = {
    "AwsSolutions": cdk_nag.AwsSolutionsChecks,
    "Serverless": cdk_nag.ServerlessChecks,
    "NIST 800-53 R5": cdk_nag.NIST80053R5Checks,
    "HIPAA": cdk_nag.HIPAASecurityChecks,
    "PCI": cdk_nag.PCIDSS321Checks,
}
# An environment of its own, because it pins an old boto3.
_CHECKOV = ROOT / ".environments" / "checkov" / "bin" / "checkov"


def cdk_nag_findings(pack: str, scope: IConstruct) -> list[str]:
    """Name every violation of a rule pack in what was synthesized: the rule and the construct."""
    violations = PACKS[pack](scope).validate_scope(scope).violations
    return [
        f"{violation.rule_name} {resource.construct_path}"
        for violation in violations
        for resource in violation.violating_resources
    ]


def cfn_lint_findings(template: Path) -> list[str]:
    """Name every error and every warning: the rule and the logical id."""
    return [
        f"{match.rule.id} {match.path[1] if len(match.path or []) > 1 else '-'}"
        for match in lint_file(template, ManualArgs(regions=["us-east-1"]))
    ]


def checkov_findings(templates: Iterable[Path]) -> CheckovFindings:
    """Name every failed check in each template: the check and the logical id.

    One process for all of them, because it takes several seconds to start. It asks no server for anything.
    """
    templates = list(templates)
    options = ["--framework", "cloudformation", "--skip-download", "--compact", "--quiet", "--soft-fail"]
    done = subprocess.run(
        [str(_CHECKOV), *options, "--output", "json", "--file", *map(str, templates)],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["summary"]["parsing_errors"] == 0
    assert answer["summary"]["resource_count"] > 0
    findings: CheckovFindings = {template: [] for template in templates}
    for failed in answer["results"]["failed_checks"]:
        [template] = [path for path in templates if str(path) == failed["file_abs_path"]]
        findings[template].append(f"{failed['check_id']} {failed['resource'].split('.')[-1]}")
    return findings
