"""What scans find is read in both shapes that AWS publishes, and summarised by severity."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from lab.cli import app
from lab.ecr import findings
from lab.errors import LabError, UsageError

DIGEST = "sha256:" + "a" * 64
REQUEST = {"repositoryName": "app", "imageId": {"imageTag": "v1"}}
# The stub holds every answer against the API's own model.
BASIC: dict[str, Any] = {
    "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
    "imageScanFindings": {
        "imageScanCompletedAt": datetime(2026, 1, 1, tzinfo=timezone.utc),
        "findings": [
            {
                "name": "CVE-2019-5188",
                "description": "A code execution vulnerability exists.",
                "uri": "http://people.ubuntu.com/~ubuntu-security/cve/CVE-2019-5188",
                "severity": "MEDIUM",
                "attributes": [
                    {"key": "package_version", "value": "1.44.1-1ubuntu1.1"},
                    {"key": "package_name", "value": "e2fsprogs"},
                ],
            },
            {"name": "CVE-2020-0001", "severity": "CRITICAL"},
        ],
        "findingSeverityCounts": {"MEDIUM": 2, "CRITICAL": 1},
    },
}
ENHANCED: dict[str, Any] = {
    "imageScanStatus": {"status": "ACTIVE", "description": "Continuous scan is selected for image."},
    "imageScanFindings": {
        "enhancedFindings": [
            {
                "awsAccountId": "111122223333",
                "findingArn": "arn:aws:inspector2:us-east-1:111122223333:finding/F1",
                "packageVulnerabilityDetails": {
                    "vulnerabilityId": "CVE-2023-1234",
                    "sourceUrl": "https://nvd.nist.gov/vuln/detail/CVE-2023-1234",
                    "vulnerablePackages": [
                        {"name": "openssl", "version": "3.0.1", "fixedInVersion": "3.0.9"},
                        {"name": "libssl", "version": "3.0.1", "fixedInVersion": "3.0.9"},
                    ],
                },
                "severity": "HIGH",
                "score": 7.5,
                "title": "CVE-2023-1234 - openssl",
                "type": "PACKAGE_VULNERABILITY",
                "fixAvailable": "YES",
            },
            {"title": "Something new", "severity": "UNTRIAGED"},
        ],
        "findingSeverityCounts": {"UNTRIAGED": 1, "HIGH": 1},
    },
}


def scan(*pages: dict[str, Any]) -> findings.Scan:
    made = boto3.client("ecr", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(made) as stubber:
        for number, page in enumerate(pages):
            asked = {**REQUEST, "nextToken": str(number)} if number else REQUEST
            follows = {"nextToken": str(number + 1)} if number + 1 < len(pages) else {}
            stubber.add_response("describe_image_scan_findings", {**page, **follows}, asked)
        return findings.of_image(made, "app", REQUEST["imageId"])  # type: ignore[arg-type]


def test_basic_findings_are_read_on_all_pages_the_worst_first() -> None:
    rest = {**BASIC, "imageScanFindings": {"findings": [{"name": "CVE-2021-0002", "severity": "MEDIUM"}]}}

    found = scan(BASIC, rest)

    assert (found.kind, found.status) == ("basic", "COMPLETE")
    assert [one.name for one in found.findings] == ["CVE-2020-0001", "CVE-2019-5188", "CVE-2021-0002"]
    assert (found.findings[1].package, found.findings[1].version) == ("e2fsprogs", "1.44.1-1ubuntu1.1")
    assert list(found.counts.items()) == [("CRITICAL", 1), ("MEDIUM", 2)]


def test_enhanced_findings_are_read_with_their_packages() -> None:
    found = scan(ENHANCED)

    assert (found.kind, found.status) == ("enhanced", "ACTIVE")
    assert [(one.name, one.severity) for one in found.findings] == [
        ("CVE-2023-1234", "HIGH"),
        ("Something new", "UNTRIAGED"),
    ]
    first = found.findings[0]
    assert (first.package, first.version, first.fixed_in) == ("openssl, libssl", "3.0.1", "3.0.9")
    assert list(found.counts.items()) == [("HIGH", 1), ("UNTRIAGED", 1)]


def test_what_aws_does_not_count_is_counted_and_a_severity_of_tomorrow_is_last() -> None:
    page = {
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {"findings": [{"name": "b", "severity": "DIRE"}, {"name": "a"}, {"name": "c"}]},
    }

    found = findings.summarised([page])

    assert list(found.counts.items()) == [("UNDEFINED", 2), ("DIRE", 1)]
    assert [one.name for one in found.findings] == ["a", "c", "b"]


def test_an_image_without_findings_is_not_an_error() -> None:
    found = scan({"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {"findings": []}})

    assert found.as_json() == {
        "status": "COMPLETE",
        "description": "",
        "scanning": "basic",
        "counts": {},
        "findings": [],
    }


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("IN_PROGRESS", "The scan of app:v1 is not over"),
        ("PENDING", "ask again in a minute"),
        ("UNSUPPORTED_IMAGE", "app:v1 was not scanned .UNSUPPORTED_IMAGE.: scratch has no packages"),
    ],
)
def test_a_scan_that_is_not_there_yet_or_never_will_be_says_so(status: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        scan({"imageScanStatus": {"status": status, "description": "scratch has no packages"}})


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("RepositoryNotFoundException", UsageError, "There is no repository app"),
        ("ImageNotFoundException", UsageError, "There is no image app:v1"),
        ("ScanNotFoundException", LabError, "app:v1 was never scanned"),
    ],
)
def test_what_is_not_there_is_named(code: str, error: type[LabError], said: str) -> None:
    made = boto3.client("ecr", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(made) as stubber:
        stubber.add_client_error("describe_image_scan_findings", code)
        with pytest.raises(error, match=said):
            findings.of_image(made, "app", {"imageTag": "v1"})


@pytest.mark.parametrize(
    ("reference", "read"),
    [
        ("app", ("app", {"imageTag": "latest"})),
        ("team/app:v1.2_3-x", ("team/app", {"imageTag": "v1.2_3-x"})),
        (f"app@{DIGEST}", ("app", {"imageDigest": DIGEST})),
    ],
)
def test_an_image_is_written_as_docker_does(reference: str, read: tuple[str, dict[str, str]]) -> None:
    assert findings.image_of(reference) == read


@pytest.mark.parametrize(
    "reference", ["App", "app:", "app@sha256:1", "app:v1:v2", "", "111122223333.dkr.ecr.us-east-1.amazonaws.com/app:v1"]
)
def test_what_is_no_image_is_a_wrong_question(reference: str) -> None:
    with pytest.raises(UsageError):
        findings.image_of(reference)


def test_on_the_emulator_it_says_that_it_is_for_aws() -> None:
    answer = CliRunner().invoke(app, ["ecr", "findings", "app:v1"])

    assert isinstance(answer.exception, LabError)
    assert answer.exception.exit_status == 1
    assert str(answer.exception).startswith("AWS only: ")
