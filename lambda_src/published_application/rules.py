"""What the AWS Serverless Application Repository takes: names, versions, sizes, licences; and what it asks for.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The part of a template's metadata that the repository reads.
METADATA = "AWS::ServerlessRepo::Application"
#: Most bytes of a licence, and of a readme.
LARGEST_DOCUMENT = 5 * 1024 * 1024
#: Most bytes of a function's code when it is unpacked, a quota of AWS Lambda.
LARGEST_CODE = 262_144_000
#: Most bytes of a template that AWS CloudFormation reads from Amazon S3.
LARGEST_TEMPLATE = 1_000_000

_NAME = r"[a-zA-Z0-9-]{1,140}"
_AUTHOR = r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?"
_LABEL = r"[a-zA-Z0-9+\-_:/@]{1,127}"
_LICENSE = r"[A-Za-z0-9.+-]+"
_NUMBER = r"(0|[1-9]\d*)"
_PRERELEASE = rf"({_NUMBER}|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRERELEASE}(\.{_PRERELEASE})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
_APPLICATION_ID = r"arn:aws[a-z-]*:serverlessrepo:[a-z0-9-]+:\d{12}:applications/[a-zA-Z0-9-]{1,140}"

_MAKES_ROLES = {"AWS::IAM::Group", "AWS::IAM::InstanceProfile", "AWS::IAM::Policy", "AWS::IAM::Role"}
_NAMES_OF_ROLES = {"GroupName", "InstanceProfileName", "RoleName"}
_GRANTS_BY_RESOURCE = {
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::Policy",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
#: What each capability lets an application do, for the person who is asked for it.
CAPABILITIES = {
    "CAPABILITY_IAM": "makes roles or policies, which decide what it may do in your account",
    "CAPABILITY_NAMED_IAM": "makes roles with names of their own, which may be those of roles that exist",
    "CAPABILITY_RESOURCE_POLICY": "makes policies of resources, which decide who may use them",
    "CAPABILITY_AUTO_EXPAND": "contains other applications, which are deployed too",
}


def is_version(text: str) -> bool:
    """Say whether ``text`` is a semantic version.

    Source: https://semver.org/
    """
    return re.fullmatch(_VERSION, text, re.ASCII) is not None


def is_application_id(text: str) -> bool:
    """Say whether ``text`` is the ARN of an application."""
    return re.fullmatch(_APPLICATION_ID, text, re.ASCII) is not None


def broken(metadata: Mapping[str, Any]) -> Iterator[tuple[str, object, str]]:
    """Find what the repository refuses in a template's metadata: the name, its value, and what is permitted."""
    patterns = {
        "Name": (_NAME, "1 to 140 letters, digits and hyphens"),
        "Author": (_AUTHOR, "1 to 127 lower case letters and digits, with single hyphens between them"),
        "SemanticVersion": (_VERSION, "a semantic version, such as 1.0.0 or 1.1.0-beta.1"),
        "SpdxLicenseId": (_LICENSE, "an identifier of the SPDX licence list, such as MIT or Apache-2.0"),
    }
    for name, (pattern, permitted) in patterns.items():
        value = metadata.get(name)
        required = name in {"Name", "Author"}
        if (value is not None or required) and re.fullmatch(pattern, str(value or ""), re.ASCII) is None:
            yield name, value, permitted
    if len(str(metadata.get("Author") or "")) > 127:
        yield "Author", metadata["Author"], "127 characters at most"
    if not 1 <= len(str(metadata.get("Description") or "")) <= 256:
        yield "Description", metadata.get("Description"), "1 to 256 characters"
    labels = metadata.get("Labels") or []
    if len(labels) > 10:
        yield "Labels", f"{len(labels)} labels", "10 at most"
    for label in labels:
        if re.fullmatch(_LABEL, str(label), re.ASCII) is None:
            yield "Labels", label, "1 to 127 letters, digits, and any of +-_:/@"
    for name in ("HomePageUrl", "SourceCodeUrl"):
        if metadata.get(name) and re.fullmatch(r"https?://[^\s/]+\S*", str(metadata[name])) is None:
            yield name, metadata[name], "an address that begins with https:// or http://"
    if metadata.get("LicenseUrl") and not metadata.get("SpdxLicenseId"):
        yield "SpdxLicenseId", None, "the licence has an identifier too, such as MIT"


def missing_for_the_public(application: Mapping[str, Any], version: str | None) -> list[str]:
    """Name what an application must have before everybody may see it.

    :param application: what GetApplication answers.
    :param version: its semantic version, if it has one.
    """
    needed = {
        "a semantic version": version,
        "a licence": application.get("LicenseUrl"),
        "the licence's SPDX identifier": application.get("SpdxLicenseId"),
    }
    return [what for what, has in needed.items() if not has]


def capabilities(template: Mapping[str, Any]) -> list[str]:
    """Name the capabilities that somebody who deploys this SAM template has to acknowledge.

    Source: https://docs.aws.amazon.com/serverlessrepo/latest/devguide/acknowledging-application-capabilities.html
    """
    needed = set()
    for resource in template.get("Resources", {}).values():
        kind, properties = resource.get("Type"), resource.get("Properties") or {}
        if kind in _MAKES_ROLES or (kind == "AWS::Serverless::Function" and "Role" not in properties):
            named = _NAMES_OF_ROLES & properties.keys()
            needed.add("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM")
        if kind in _GRANTS_BY_RESOURCE:
            needed.add("CAPABILITY_RESOURCE_POLICY")
        if kind == "AWS::Serverless::Application":
            needed.add("CAPABILITY_AUTO_EXPAND")
    if "CAPABILITY_NAMED_IAM" in needed:
        needed.discard("CAPABILITY_IAM")
    return [name for name in CAPABILITIES if name in needed]


def code_locations(template: Mapping[str, Any]) -> dict[str, Any]:
    """Find where the code of each function and layer is, by logical id; code within the template is nowhere else."""
    named = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
    return {
        logical_id: resource["Properties"][named[resource["Type"]]]
        for logical_id, resource in template.get("Resources", {}).items()
        if resource.get("Type") in named and named[resource["Type"]] in (resource.get("Properties") or {})
    }
