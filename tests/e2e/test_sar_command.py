"""`lab sar` on the emulator: from a package to what somebody deployed, and what is refused on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    import boto3

    from .conftest import Lab

NAME = "serverless-lab-sqs-lambda"


def test_it_is_packaged_published_shared_and_deployed(lab: Lab, session: boto3.Session) -> None:
    lab("up", "sar")
    assert "`lab sar package` writes it" in lab("sar", "publish", "nowhere.json", status=2).stderr
    packaged = json.loads(lab("sar", "package", "--json").stdout)
    assert packaged["application"]["SemanticVersion"] == "1.0.0"

    published = json.loads(lab("sar", "publish", "--json").stdout)
    assert published["SharedWith"] == {"accounts": [], "organizations": [], "everybody": False}
    again = lab("sar", "publish", status=2).stderr
    assert "1.0.0 is already published" in " ".join(again.split())

    asked = lab("sar", "share", NAME, "--public", status=2).stderr
    assert "every version, with its template" in " ".join(asked.split())
    assert "say --yes" in asked
    [listed] = json.loads(lab("sar", "list", "--json").stdout)
    assert (listed["Name"], listed["SharedWith"]["everybody"]) == (NAME, False)
    lab("sar", "share", NAME, "--account", "111122223333", "--yes")
    assert f"{NAME}\tserverless-lab\tMIT\taccount 111122223333" in lab("sar", "list").stdout

    wanted = lab("sar", "deploy", NAME, status=2).stderr
    assert "CAPABILITY_RESOURCE_POLICY" in wanted
    stacks = session.client("cloudformation").list_stacks()["StackSummaries"]
    assert not [one for one in stacks if one["StackName"].startswith("serverlessrepo-")]
    words = ["sar", "deploy", NAME, "-p", "CustomTableName=my-messages", "--yes"]
    deployed = json.loads(lab(*words, "--json").stdout)
    assert deployed["stack"] == f"serverlessrepo-{NAME}"
    assert deployed["outputs"]["TableName"] == "my-messages"
    assert deployed["outputs"]["QueueUrl"].endswith(f"serverlessrepo-{NAME}-Messages")
    assert "CloudFormation has nothing to deploy" in " ".join(lab(*words, status=1).stderr.split())
    # What is not given stays: the default would be another table.
    kept = lab("sar", "deploy", NAME, "--yes", status=1).stderr
    assert "As it is deployed: " in kept
    assert "CustomTableName=my-messages" in kept
    assert "CloudFormation has nothing to deploy" in " ".join(kept.split())
    moved = lab("sar", "deploy", NAME, "-p", "CustomTableName=others", "--yes")
    [table] = [line for line in moved.stdout.splitlines() if "AWS::DynamoDB::Table" in line]
    assert (table.split("\t")[0], table.split("\t")[-1]) == ("Modify", "yes")
    assert "New ones take their place, without what is in them: Message" in moved.stderr
    session.client("cloudformation").delete_stack(StackName=deployed["stack"])
    session.client("serverlessrepo").delete_application(ApplicationId=published["ApplicationId"])


def test_what_is_shared_with_an_organization_is_for_its_members_and_its_management_account_may_end_it(
    lab: Lab, session: boto3.Session
) -> None:
    def of(account: str, service: str = "serverlessrepo") -> Any:
        return session.client(service, aws_access_key_id=account, aws_secret_access_key="test")

    lab("up", "sar")
    manager, outsider = "222233334444", "333344445555"
    organizations = of(manager, "organizations")
    organization = organizations.describe_organization()["Organization"]["Id"]
    made = organizations.create_account(AccountName="member", Email="member@example.com")
    member = made["CreateAccountStatus"]["AccountId"]
    # Whoever asks has an organization of its own here, and another one's members stay that one's.
    for account in (member, outsider):
        assert of(account, "organizations").describe_organization()["Organization"]["Id"] != organization
    repository = session.client("serverlessrepo")
    about = {"Author": "me", "Description": "A queue", "Name": "shared-queue", "SemanticVersion": "1.0.0"}
    queue = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    application = repository.create_application(**about, TemplateBody=queue)["ApplicationId"]

    def answer(account: str) -> str:
        try:
            of(account).get_application(ApplicationId=application)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "seen"

    denied = "AccessDeniedException"
    try:
        assert [*map(answer, (manager, member, outsider))] == [denied] * 3
        lab("sar", "share", "shared-queue", "--organization", organization, "--yes")
        assert f"organization {organization}" in lab("sar", "list").stdout
        assert [*map(answer, (manager, member, outsider))] == ["seen", "seen", denied]
        change = {"ApplicationId": application, "StackName": "queue"}
        assert of(member).create_cloud_formation_change_set(**change)["StackId"]
        with pytest.raises(ClientError, match="AccessDenied"):
            of(outsider).create_cloud_formation_change_set(**change)
        ended = {"ApplicationId": application, "OrganizationId": organization}
        for account in (member, outsider):
            with pytest.raises(ClientError, match="AccessDenied"):
                of(account).unshare_application(**ended)
        of(manager).unshare_application(**ended)
        assert [*map(answer, (manager, member, outsider))] == [denied] * 3
    finally:
        repository.delete_application(ApplicationId=application)
