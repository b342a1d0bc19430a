"""`lab sar` on the emulator: from a package to what somebody deployed, and what is refused on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
    session.client("cloudformation").delete_stack(StackName=deployed["stack"])
    session.client("serverlessrepo").delete_application(ApplicationId=published["ApplicationId"])
