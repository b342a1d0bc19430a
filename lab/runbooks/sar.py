"""SAR: an application is packaged, published for its own account, shared, and deployed by another from its package."""

from __future__ import annotations

import json
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.errors import UsageError
from lab.runbook import Evidence, NotMadeError, Runbook
from lab.runbooks import sar_accounts
from lab.runbooks.sar_accounts import MESSAGES, STRANGER, Account, Publication
from lab.sar import deploying, publishing, sharing
from lambda_src.published_application.listed import unlisted
from lambda_src.published_application.rules import METADATA, code_locations

if TYPE_CHECKING:
    from lab.deployment import Deployment

runbook = Runbook()
# The one that the CDK deploys to rotate a secret: everybody may, in every region.
OF_AWS = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/SecretsManagerRDSPostgreSQLRotationSingleUser"


@runbook.check(
    "The package is in the bucket, and its template names nothing on this machine", evidence=Evidence.EMULATED
)
def package_is_uploaded(deployed: Deployment) -> str:
    """Code, licence and readme, by names of their contents, and types that AWS lists; again, nothing is uploaded."""
    template = sar_accounts.packaged(deployed)
    assert not (doubts := list(unlisted(template))), "; ".join(doubts)
    metadata = template["Metadata"][METADATA]
    addresses = [*code_locations(template).values(), metadata["LicenseUrl"], metadata["ReadmeUrl"]]
    s3, bucket = deployed.client("s3"), deployed.output("BucketName")
    sizes = []
    for address in addresses:
        assert address.startswith(f"s3://{bucket}/"), f"{address} is not in the bucket {bucket}"
        sizes.append(s3.head_object(Bucket=bucket, Key=address.removeprefix(f"s3://{bucket}/"))["ContentLength"])
    before = _versions_in(s3, bucket)
    assert sar_accounts.packaged(deployed) == template, "packaged again, it is another package"
    assert _versions_in(s3, bucket) == before, "packaging again uploaded something"
    kinds = len({resource["Type"] for resource in template["Resources"].values()})
    return f"{len(addresses)} objects, {sum(sizes):,} bytes, in {bucket}; {kinds} types of resources, all on AWS's list"


@runbook.check("What is published is private, and one's own", evidence=Evidence.EMULATED)
def published_is_private(deployed: Deployment) -> str:
    """Without a policy it is for the account that published it: the API lists it there, with what it asks for."""
    with Publication.of(deployed) as publication:
        mine = publishing.described(publication.repository, publication.name)
        audience = sharing.audience_now(publication.repository, publication.application_id)
        assert audience == sharing.Audience(), f"it is shared with {audience}"
        wanted = mine["Version"]["RequiredCapabilities"]
        assert wanted == ["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"], f"it asks for {wanted}"
        return f"{mine['Name']} {mine['Version']['SemanticVersion']}, for {audience}; it asks for {', '.join(wanted)}"


@runbook.check("A version that is published stays as it is", evidence=Evidence.EMULATED)
def versions_are_kept(deployed: Deployment) -> str:
    """The same version again is refused, by `lab sar publish` and by the service; the next one is taken."""
    with Publication.of(deployed) as publication:
        try:
            publishing.publish(publication.repository, publication.template)
        except UsageError as error:
            refused = str(error)
        else:
            raise AssertionError("it was published twice")
        assert "already published" in refused, refused
        code = publication.refusal_of(
            "create_application_version", SemanticVersion="1.0.0", TemplateBody=json.dumps(publication.template)
        )
        assert code == "ConflictException", f"the service answers {code}"
        publication.template["Metadata"][METADATA]["SemanticVersion"] = "1.1.0"
        publishing.publish(publication.repository, publication.template)
        there = [
            one["SemanticVersion"] for one in publishing.versions(publication.repository, publication.application_id)
        ]
        assert sorted(there) == ["1.0.0", "1.1.0"], f"there are {there}"
        return f"1.0.0 again: {code}; then {' and '.join(sorted(there))}"


@runbook.check("The repository reads no bucket whose policy does not let it", evidence=Evidence.EMULATED)
def bucket_policy_is_needed(deployed: Deployment) -> str:
    """The same package in a bucket without the policy is refused, and nothing is published."""
    s3, bucket = deployed.client("s3"), f"runbook-{uuid.uuid4()}"
    region = deployed.target.session.region_name
    elsewhere = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **elsewhere)
    try:
        template = sar_accounts.packaged(deployed, bucket)
        template["Metadata"][METADATA]["Name"] = bucket
        repository = publishing.client(deployed.target.session)
        try:
            publishing.publish(repository, template)
        except ClientError as error:
            refused = error.response["Error"]
        else:
            raise AssertionError("it was published")
        assert refused["Code"] == "BadRequestException", refused
        assert bucket in refused["Message"], refused
        assert publishing.find_own(repository, bucket) is None, "it was refused, and published all the same"
        return f"{refused['Code']}, and nothing was published"
    finally:
        for version in _versions_in(s3, bucket):
            s3.delete_object(Bucket=bucket, Key=version[0])
        s3.delete_bucket(Bucket=bucket)


@runbook.check("Another account neither sees nor deploys it, before it is shared and after", evidence=Evidence.EMULATED)
def strangers_are_refused(deployed: Deployment) -> str:
    """Tried by a client of that account: look at it, list its versions, get its template, deploy it."""
    stranger = sar_accounts.stranger(deployed)
    with Publication.of(deployed) as publication:
        wanted = publication.made["Version"]["RequiredCapabilities"]
        attempts: dict[str, dict[str, Any]] = {
            "get_application": {},
            "list_application_versions": {},
            "create_cloud_formation_template": {},
            "create_cloud_formation_change_set": {"StackName": publication.name, "Capabilities": wanted},
            "get_application_policy": {},
            "put_application_policy": {"Statements": []},
            "delete_application": {},
        }

        def answers() -> set[str]:
            return {publication.refusal_of(call, stranger.repository, **more) for call, more in attempts.items()}

        before = answers()
        publication.share(accounts=(STRANGER,))
        publishing.described(stranger.repository, publication.application_id)
        publication.share()
        after = answers()
        assert before == after == {"AccessDeniedException"}, f"before: {before}, after: {after}"
        names = [one["Name"] for one in publishing.own(stranger.repository)]
        assert publication.name not in names, "it is in the other account's list"
        return f"{len(attempts)} of {len(attempts)} calls: AccessDeniedException"


@runbook.check("An organization's accounts see what is shared with it, and others do not", evidence=Evidence.EMULATED)
def organization_sees_it(deployed: Deployment) -> str:
    """By clients of a member account and of one outside; then the organization ends the sharing by itself."""
    stranger = sar_accounts.stranger(deployed)
    member = sar_accounts.member(deployed)
    organization = deployed.client("organizations").describe_organization()["Organization"]["Id"]
    with Publication.of(deployed) as publication:

        def answers() -> list[str]:
            return [publication.refusal_of("get_application", one.repository) for one in (member, stranger)]

        refused = "AccessDeniedException"
        before = answers()
        publication.share(organizations=(organization,))
        shared = answers()
        assert publication.refusal_of("put_application_policy", member.repository, Statements=[]) == refused
        publication.repository.unshare_application(
            ApplicationId=publication.application_id, OrganizationId=organization
        )
        after = answers()
        publication.share(organizations=("o-another000",))
        assert before == after == answers() == [refused] * 2, f"before: {before}, after: {after}"
        assert shared == ["permitted", refused], f"shared: the member {shared[0]}, the stranger {shared[1]}"
        return f"{organization}: its member is permitted, account {STRANGER} is not; ended, neither is"


@runbook.check(
    "The account that it is shared with deploys it, and its messages reach the table", evidence=Evidence.EMULATED
)
def shared_is_deployed(deployed: Deployment) -> str:
    """From the package: every capability must be acknowledged; then queue, function and table of its own."""
    stranger = sar_accounts.stranger(deployed)
    with Publication.of(deployed) as publication:
        publication.share(accounts=(STRANGER,))
        found = publishing.described(stranger.repository, publication.application_id)
        wanted = found["Version"]["RequiredCapabilities"]
        for lacking in wanted:
            refused = publication.refusal_of(
                "create_cloud_formation_change_set",
                stranger.repository,
                StackName=publication.name,
                Capabilities=[one for one in wanted if one != lacking],
            )
            assert refused == "BadRequestException", f"without {lacking} it answers {refused}"
        prepared = deploying.change_set(
            stranger.repository,
            stranger.cloudformation,
            found,
            stack=publication.name,
            values={},
            capabilities=wanted,
        )
        try:
            outputs = deploying.execute(stranger.cloudformation, prepared)
            stored = stranger.send(outputs)
        finally:
            stranger.cloudformation.delete_stack(StackName=prepared.stack_id)
        return f"{stored} of {MESSAGES} messages through {outputs['QueueUrl'].rpartition('/')[2]}"


@runbook.check(
    "The published template and licence can be read by their links, and not without", evidence=Evidence.EMULATED
)
def links_are_signed(deployed: Deployment) -> str:
    """What the repository keeps is its own copy; a link to it is signed, and ends."""
    with Publication.of(deployed) as publication:
        shown = publishing.described(publication.repository, publication.name)
        with urllib.request.urlopen(shown["LicenseUrl"], timeout=30) as answer:  # noqa: S310 - the repository's own
            licence = answer.read()
        with urllib.request.urlopen(shown["Version"]["TemplateUrl"], timeout=30) as answer:  # noqa: S310 - as above
            template = json.loads(answer.read())
        assert b"MIT" in licence, "the licence is another"
        kept, packaged = (code_locations(one) for one in (template, publication.template))
        assert kept.keys() == packaged.keys(), f"its functions are {', '.join(kept)}"
        copied = [place for place in kept.values() if deployed.output("BucketName") not in json.dumps(place)]
        assert copied, "the code is still in the publisher's bucket"
        try:
            urllib.request.urlopen(shown["LicenseUrl"].partition("?")[0], timeout=30)  # noqa: S310 - as above
        except urllib.error.HTTPError as error:
            status = error.code
        else:
            status = 200
        assert status == 403, f"without its signature it answers {status}"
        return f"{len(template['Resources'])} resources; unsigned: {status}"


@runbook.check("A stack nests the application at the version that it is pinned to", evidence=Evidence.EMULATED)
def nested_is_pinned(deployed: Deployment) -> str:
    """A newer version changes nothing in the stack; a version that is not there is refused."""
    cloudformation = deployed.client("cloudformation")
    with Publication.of(deployed) as publication:
        publication.template["Metadata"][METADATA]["SemanticVersion"] = "2.0.0"
        publication.template["Outputs"] = {}
        publishing.publish(publication.repository, publication.template)
        refused = ""
        try:
            _create(cloudformation, publication.name, _nesting(publication.application_id, "3.0.0"))
        except ClientError as error:
            refused = error.response["Error"]["Message"]
        assert "3.0.0" in refused, f"a version that is not there: {refused or 'deployed'}"
        try:
            outputs = _create(cloudformation, publication.name, _nesting(publication.application_id, "1.0.0"))
            assert outputs.keys() == {"QueueUrl", "TableName"}, f"version 1.0.0 has the outputs {', '.join(outputs)}"
            stored = Account(publication.repository, cloudformation, deployed, {}).send(outputs)
        finally:
            cloudformation.delete_stack(StackName=publication.name)
        return f"1.0.0, though 2.0.0 is there: {stored} of {MESSAGES} messages stored"


@runbook.check("The application that is nested in the section's own stack works", evidence=Evidence.EMULATED)
def nested_here_works(deployed: Deployment) -> str:
    """Messages to its queue reach its table; it is there with `-c nested_application=ARN`."""
    if "NestedQueueUrl" not in deployed.outputs:
        raise NotMadeError(
            "None is nested: `lab sar package && lab sar publish`, then `lab run sar -c nested_application=ARN`."
        )
    nested = {name: deployed.output(f"Nested{name}") for name in ("QueueUrl", "TableName")}
    account = Account(publishing.client(deployed.target.session), deployed.client("cloudformation"), deployed, {})
    return f"{account.send(nested)} of {MESSAGES} messages through {nested['QueueUrl'].rpartition('/')[2]}"


@runbook.check("Applications that everybody may see are found without being their owner", evidence=Evidence.AWS_ONLY)
def public_ones_are_found(deployed: Deployment) -> str:
    """The emulator's repository has just what is published there; this looks at an application of AWS's own."""
    found = publishing.described(publishing.client(deployed.target.session), OF_AWS)
    assert found["Version"]["RequiredCapabilities"], f"it asks for nothing: {found}"
    return f"{found['Name']} {found['Version']['SemanticVersion']} by {found['Author']}"


def _versions_in(s3: Any, bucket: str) -> set[tuple[str, str]]:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return {(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", [])}


def _nesting(application_id: str, version: str) -> str:
    location = {"ApplicationId": application_id, "SemanticVersion": version}
    nested = {"Type": "AWS::Serverless::Application", "Properties": {"Location": location}}
    outputs = {name: {"Value": {"Fn::GetAtt": ["Nested", f"Outputs.{name}"]}} for name in ("QueueUrl", "TableName")}
    return json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Nested": nested}, "Outputs": outputs})


def _create(cloudformation: Any, name: str, template: str) -> dict[str, str]:
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    cloudformation.create_stack(StackName=name, TemplateBody=template, Capabilities=capabilities)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
