"""Acknowledges a policy's finding beside the resource that causes it, with the reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

if TYPE_CHECKING:
    from constructs import IConstruct


def acknowledge(construct: IConstruct, *findings: str, reason: str) -> None:
    """Say why ``findings`` on this construct, and on what it contains, are right as they are.

    Each policy tool reads its own form: cdk-nag and the CDK itself an acknowledgement of the construct, which covers
    what it contains; checkov and cfn-lint the metadata of the construct's own resource in the template.

    :param findings: rule identifiers of cdk-nag (``AwsSolutions-SQS3``), checkov (``CKV_AWS_116``) or cfn-lint
        (``W3005``), exactly as the tool prints them.
    :param reason: what a security reviewer would accept.

    Source: https://docs.aws.amazon.com/cdk/v2/guide/best-practices.html
    """
    for finding in findings:
        if finding.startswith("CKV"):
            skipped = _metadata(construct, "checkov").get("skip", [])
            _add_metadata(construct, "checkov", {"skip": [*skipped, {"id": finding, "comment": reason}]})
        elif re.fullmatch(r"[EWI]\d{4}", finding):
            reasons = {**_metadata(construct, "cfn-lint").get("reasons", {}), finding: reason}
            _add_metadata(construct, "cfn-lint", {"config": {"ignore_checks": list(reasons)}, "reasons": reasons})
        else:
            cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def acknowledge_inline_policy(role: IConstruct) -> None:
    """Say why the permissions of ``role`` are a policy inside it, where the CDK writes every grant."""
    acknowledge(
        role,
        "NIST.800.53.R5-IAMNoInlinePolicy",
        "HIPAA.Security-IAMNoInlinePolicy",
        "PCI.DSS.321-IAMNoInlinePolicy",
        reason="The policy is this one role's, names its resources, and lives and dies with it: as a managed policy "
        "it could be attached to something else, which it was never meant for.",
    )


def _resource(construct: IConstruct) -> cdk.CfnResource:
    resource = construct.node.default_child or construct
    if not isinstance(resource, cdk.CfnResource):
        raise TypeError(f"{construct.node.path} has no resource of its own: acknowledge on the one that the tool names")
    return resource


def _metadata(construct: IConstruct, tool: str) -> dict[str, Any]:
    return _resource(construct).get_metadata(tool) or {}


def _add_metadata(construct: IConstruct, tool: str, metadata: dict[str, Any]) -> None:
    _resource(construct).add_metadata(tool, metadata)
