"""Which events tell of findings in a repository's images: the pattern of a rule, for basic and enhanced scanning."""

from __future__ import annotations

from typing import Any

#: The worst first, as basic and enhanced scanning both name them.
SEVERITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"]


def findings_pattern(repository_name: str, *, at_least: str, by_hand: str | None = None) -> dict[str, Any]:
    """Match what is found in the images of a repository, of a severity and above.

    Basic scanning (``aws.ecr``) sends one event a scan, with how many findings there are of each severity; enhanced
    scanning (``aws.inspector2``) sends one a finding, when it is new or changed. Which of the two scans is the
    registry's setting, so the pattern takes both.

    :param at_least: one of ``SEVERITIES``.
    :param by_hand: a beginning such as ``by-hand.``, to take the source ``by-hand.aws.ecr`` too: events whose source
        begins with ``aws.`` can be put by nobody but AWS.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
    Source: https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html
    """
    severities = SEVERITIES[: SEVERITIES.index(at_least) + 1]

    def sources(service: str) -> list[str]:
        return [service, *([by_hand + service] if by_hand else [])]

    basic = {
        "source": sources("aws.ecr"),
        "detail-type": ["ECR Image Scan"],
        "detail": {
            "scan-status": ["COMPLETE"],
            "repository-name": [repository_name],
            "finding-severity-counts": {"$or": [{severity: [{"numeric": [">", 0]}]} for severity in severities]},
        },
    }
    enhanced = {
        "source": sources("aws.inspector2"),
        "detail-type": ["Inspector2 Finding"],
        "detail": {
            "status": ["ACTIVE"],
            "severity": severities,
            "resources": {
                "type": ["AWS_ECR_CONTAINER_IMAGE"],
                "details": {"awsEcrContainerImage": {"repositoryName": [repository_name]}},
            },
        },
    }
    return {"$or": [basic, enhanced]}
