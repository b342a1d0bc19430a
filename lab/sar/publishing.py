"""Publishes applications: the first version makes the application, which is private, and each other one adds to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.errors import LabError, UsageError
from lambda_src.published_application.rules import METADATA, broken, is_application_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import boto3

_OF_THE_FIRST = ("LicenseUrl", "Name", "SpdxLicenseId")
_OF_THE_APPLICATION = ("Author", "Description", "HomePageUrl", "Labels", "ReadmeUrl")
# What takes away what an application has: nothing said of it leaves it there.
_EMPTY: dict[str, str | list[str]] = {"HomePageUrl": "", "Labels": []}
_OF_A_VERSION = ("SemanticVersion", "SourceCodeUrl")


def client(session: boto3.Session, **credentials: Any) -> Any:
    """Make a client for the repository.

    :raises UsageError: in a region that has no repository.
    """
    region = session.region_name
    partition = session.get_partition_for_region(region)
    regions = session.get_available_regions("serverlessrepo", partition_name=partition)
    if region not in regions:
        raise UsageError(f"There is no Serverless Application Repository in {region}: {', '.join(sorted(regions))}.")
    return session.client("serverlessrepo", **credentials)


def publish(repository: Any, template: Mapping[str, Any]) -> dict[str, Any]:
    """Publish a packaged template; return the application at its new version.

    What is published stays as it is. The licence is that of the first version, for good. What is said of the
    application is brought up to date before the version is made: whatever fails, the same again goes on from there.

    :raises UsageError: naming all that the repository would refuse; nothing is published then.
    """
    metadata = template["Metadata"][METADATA]
    problems = [f"{name} is {value}: {permitted}" for name, value, permitted in broken(metadata)]
    if "SemanticVersion" not in metadata:
        problems.append("SemanticVersion is missing: what is published has a version, such as 1.0.0")
    if problems:
        raise UsageError(f"{metadata.get('Name')} cannot be published:\n  " + "\n  ".join(problems))
    version = {"TemplateBody": json.dumps(template), **_named(metadata, _OF_A_VERSION)}
    about = _named(metadata, _OF_THE_APPLICATION)
    found = find_own(repository, metadata["Name"])
    if found is None:
        made: dict[str, Any] = repository.create_application(**about, **_named(metadata, _OF_THE_FIRST), **version)
        return _answered(made)
    application_id = found["ApplicationId"]
    published = {one["SemanticVersion"] for one in versions(repository, application_id)}
    if metadata["SemanticVersion"] in published:
        raise UsageError(
            f"{metadata['Name']} {metadata['SemanticVersion']} is already published, and stays as it is: give the next "
            "one, `lab sar package -c semantic_version=...`."
        )
    cleared = {name: empty for name, empty in _EMPTY.items() if found.get(name) and name not in about}
    repository.update_application(ApplicationId=application_id, **about, **cleared)
    repository.create_application_version(ApplicationId=application_id, **version)
    return _answered(
        repository.get_application(ApplicationId=application_id, SemanticVersion=metadata["SemanticVersion"])
    )


def own(repository: Any) -> Iterator[dict[str, Any]]:
    """Go through the applications of this account in this region."""
    for page in repository.get_paginator("list_applications").paginate():
        yield from page["Applications"]


def find_own(repository: Any, name: str) -> dict[str, Any] | None:
    """Find an application of this account by its name."""
    return next((one for one in own(repository) if one["Name"] == name), None)


def versions(repository: Any, application_id: str) -> Iterator[dict[str, Any]]:
    """Go through an application's versions."""
    for page in repository.get_paginator("list_application_versions").paginate(ApplicationId=application_id):
        yield from page["Versions"]


def application_id_of(repository: Any, application: str) -> str:
    """Find the ARN of what a user named: one of this account's applications, or anybody's by its ARN.

    :raises LabError: when this account has none of that name.
    """
    if is_application_id(application):
        return application
    found = find_own(repository, application)
    if found is None:
        names = ", ".join(sorted(one["Name"] for one in own(repository)))
        raise LabError(
            f"This account has no application {application} here (it has: {names or 'none'}). One of somebody else's "
            "is named by its ARN, arn:aws:serverlessrepo:REGION:ACCOUNT:applications/NAME."
        )
    return str(found["ApplicationId"])


def described(repository: Any, application: str, version: str | None = None) -> dict[str, Any]:
    """Describe an application, at a version or at its newest.

    :raises LabError: when it is not there, or not shared with this account.
    """
    application_id = application_id_of(repository, application)
    wanted = {"SemanticVersion": version} if version else {}
    try:
        return _answered(repository.get_application(ApplicationId=application_id, **wanted))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"AccessDeniedException", "ForbiddenException"}:
            raise LabError(f"{application_id} is not shared with this account: ask its owner to.") from None
        if code == "NotFoundException":
            there = f"{application_id} {version}" if version else application_id
            raise LabError(
                f"There is no {there}: `lab sar list{f' {application}' if version else ''}` says what is."
            ) from None
        raise


def _named(metadata: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: metadata[name] for name in names if metadata.get(name)}


def _answered(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
