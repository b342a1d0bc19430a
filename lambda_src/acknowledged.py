"""Acknowledges a policy's finding beside the resource that causes it, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

if TYPE_CHECKING:
    from constructs import IConstruct


def acknowledge(construct: IConstruct, *findings: str, reason: str) -> None:
    """Say why ``findings`` on this construct are right as they are.

    Each policy tool reads its own form: cdk-nag an acknowledgement of the construct, checkov and cfn-lint the
    metadata of the resource in the template.

    :param findings: rule identifiers of cdk-nag (``AwsSolutions-SQS3``), checkov (``CKV_AWS_116``) or cfn-lint
        (``W3045``), exactly as the tool prints them.
    :param reason: what a security reviewer would accept.

    Source: https://docs.aws.amazon.com/cdk/v2/guide/best-practices.html
    """
    for finding in findings:
        if finding.startswith("CKV"):
            _add_to_metadata(construct, "checkov", "skip", {"id": finding, "comment": reason})
        elif "-" in finding:
            cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))
        else:
            _add_to_metadata(construct, "cfn-lint", "config", finding)


def _add_to_metadata(construct: IConstruct, tool: str, section: str, entry: object) -> None:
    resource = construct.node.default_child or construct
    if not isinstance(resource, cdk.CfnResource):
        raise TypeError(f"{construct.node.path} has no resource of its own: acknowledge on the one that the tool names")
    entries = resource.get_metadata(tool) or ({section: {"ignore_checks": []}} if tool == "cfn-lint" else {section: []})
    (entries[section]["ignore_checks"] if tool == "cfn-lint" else entries[section]).append(entry)
    resource.add_metadata(tool, entries)
