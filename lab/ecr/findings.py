"""What a scan found in an image, basic or enhanced, summarised by severity."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import LabError, UsageError
from lambda_src.image_repository.findings import SEVERITIES as NAMED_BY_BOTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: The worst first; ``UNTRIAGED`` is Amazon Inspector's word, ``UNDEFINED`` that of basic scanning.
SEVERITIES = [*NAMED_BY_BOTH, "UNTRIAGED", "UNDEFINED"]
#: A scan is over, or goes on for as long as the image is there.
_SCANNED = {"COMPLETE", "ACTIVE"}
_NOT_YET = {"IN_PROGRESS", "PENDING"}


@dataclass(frozen=True)
class Finding:
    """A vulnerability in a package of the image."""

    name: str
    severity: str
    package: str
    version: str
    fixed_in: str
    link: str


@dataclass(frozen=True)
class Scan:
    """What a scan found: each finding, the worst first, and how many there are of each severity."""

    status: str
    description: str
    kind: str
    findings: Sequence[Finding]
    counts: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "status": self.status,
            "description": self.description,
            "scanning": self.kind,
            "counts": dict(self.counts),
            "findings": [asdict(finding) for finding in self.findings],
        }


def image_of(reference: str) -> tuple[str, dict[str, str]]:
    """Read ``REPOSITORY[:TAG|@DIGEST]``: the repository, and the image as AWS's API takes it; ``latest`` by default.

    :raises UsageError: when it is none.
    """
    if re.match(r"[^/]+\.dkr\.ecr\.", reference):
        raise UsageError(f"{reference}: leave the registry out, the repository is what comes after its first slash.")
    read = re.fullmatch(
        r"(?P<repository>[a-z0-9][a-z0-9._/-]+)(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})|@(?P<digest>sha256:[0-9a-f]{64}))?",
        reference,
    )
    if read is None:
        raise UsageError(f"{reference}: an image is written REPOSITORY, REPOSITORY:TAG or REPOSITORY@sha256:DIGEST.")
    if read["digest"]:
        return read["repository"], {"imageDigest": read["digest"]}
    return read["repository"], {"imageTag": read["tag"] or "latest"}


def of_image(client: Any, repository: str, image: Mapping[str, str]) -> Scan:
    """Ask AWS what was found in an image, on all pages.

    :raises UsageError: when there is no such image.
    :raises LabError: when it was not scanned, or the scan is not over.
    """
    named = f"{repository}@{image['imageDigest']}" if "imageDigest" in image else f"{repository}:{image['imageTag']}"
    exceptions = client.exceptions
    try:
        pages = list(
            client.get_paginator("describe_image_scan_findings").paginate(
                repositoryName=repository, imageId=dict(image)
            )
        )
    except exceptions.RepositoryNotFoundException:
        raise UsageError(f"There is no repository {repository} in this account and region.") from None
    except exceptions.ImageNotFoundException:
        raise UsageError(f"There is no image {named}: `aws ecr list-images` names those that there are.") from None
    except exceptions.ScanNotFoundException:
        raise LabError(f"{named} was never scanned: `aws ecr start-image-scan` does it, or a push does.") from None
    scan = summarised(pages)
    if scan.status in _NOT_YET:
        raise LabError(f"The scan of {named} is not over ({scan.status}): ask again in a minute.")
    if scan.status not in _SCANNED:
        raise LabError(f"{named} was not scanned ({scan.status}): {scan.description or 'AWS does not say why'}")
    return scan


def summarised(pages: Iterable[Mapping[str, Any]]) -> Scan:
    """Read the pages of ``DescribeImageScanFindings``, of basic and of enhanced scanning alike."""
    status: Mapping[str, str] = {}
    counted: Mapping[str, int] = {}
    findings: list[Finding] = []
    kind = "basic"
    for page in pages:
        status = page.get("imageScanStatus", status)
        found = page.get("imageScanFindings", {})
        counted = found.get("findingSeverityCounts") or counted
        findings += map(_basic, found.get("findings", ()))
        if found.get("enhancedFindings"):
            kind = "enhanced"
            findings += map(_enhanced, found["enhancedFindings"])
    findings.sort(key=lambda finding: (_rank(finding.severity), finding.name, finding.package))
    # AWS counts all that there is; where it does not, we count what it lists.
    counts = counted or Counter(finding.severity for finding in findings)
    return Scan(
        status.get("status", ""),
        status.get("description", ""),
        kind,
        findings,
        {severity: counts[severity] for severity in sorted(counts, key=_rank)},
    )


def _rank(severity: str) -> tuple[int, str]:
    return (SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES), severity)


def _basic(finding: Mapping[str, Any]) -> Finding:
    attributes = {one["key"]: one.get("value", "") for one in finding.get("attributes", ())}
    return Finding(
        name=finding.get("name", ""),
        severity=finding.get("severity", "UNDEFINED"),
        package=attributes.get("package_name", ""),
        version=attributes.get("package_version", ""),
        fixed_in=attributes.get("fixed_in_version", attributes.get("patched_version", "")),
        link=finding.get("uri", ""),
    )


def _enhanced(finding: Mapping[str, Any]) -> Finding:
    details = finding.get("packageVulnerabilityDetails", {})
    packages = details.get("vulnerablePackages", ())
    return Finding(
        name=details.get("vulnerabilityId") or finding.get("title", ""),
        severity=finding.get("severity", "UNTRIAGED"),
        package=_each(packages, "name"),
        version=_each(packages, "version"),
        fixed_in=_each(packages, "fixedInVersion"),
        link=details.get("sourceUrl", ""),
    )


def _each(packages: Iterable[Mapping[str, Any]], name: str) -> str:
    return ", ".join(dict.fromkeys(str(package[name]) for package in packages if package.get(name)))
