"""`lab sar` asks before it shares and before it deploys, and does nothing without a yes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError
from botocore.stub import Stubber
from typer.testing import CliRunner

from lab import choices
from lab.cli import app
from lab.commands import sar as commands
from lab.errors import LabError, UsageError
from lab.sar import deploying, publishing, sharing
from lambda_src.published_application.rules import METADATA
from tests.unit.fake_serverlessrepo import DESCRIBED, LICENSED, TEMPLATE, Service

if TYPE_CHECKING:
    from pathlib import Path

OWNER, OTHER = "000000000000", "111122223333"
ID = f"arn:aws:serverlessrepo:us-east-1:{OWNER}:applications/greeting"
ORGANIZATION = "o-a1b2c3d4e5"
WANTED = ["--account", OTHER]


def packaged(**metadata: Any) -> dict[str, Any]:
    described = {**DESCRIBED, "SemanticVersion": "1.0.0", "SpdxLicenseId": "MIT", **metadata}
    return {**TEMPLATE, "Metadata": {METADATA: described}}


class CloudFormation:
    """As much of AWS CloudFormation as a deployment uses."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.status: str | None = "REVIEW_IN_PROGRESS"
        self.fails: str | None = None
        self.interrupted: str | None = None
        self.busy = False
        self.parameters: dict[str, str] = {}
        self.changes = [{"Action": "Add", "ResourceType": "AWS::IAM::Role", "LogicalResourceId": "Role"}]

    def get_waiter(self, name: str) -> CloudFormation:
        self.calls.append(name)
        return self

    def wait(self, **_: Any) -> None:
        if self.interrupted == self.calls[-1]:
            self.interrupted, self.busy = None, True
            raise KeyboardInterrupt
        if self.fails == self.calls[-1]:
            raise WaiterError("it", "failed", {"StatusReason": "There is nothing to change."})

    def get_paginator(self, _: str) -> CloudFormation:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Changes": [{"ResourceChange": change}]} for change in self.changes]

    def execute_change_set(self, **_: Any) -> None:
        self.calls.append("execute_change_set")

    def delete_change_set(self, **_: Any) -> None:
        self.calls.append("delete_change_set")
        if self.busy:
            self.busy = False
            raise ClientError({"Error": {"Code": "InvalidChangeSetStatus", "Message": "busy"}}, "DeleteChangeSet")

    def delete_stack(self, **_: Any) -> None:
        self.calls.append("delete_stack")

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        if self.status is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        outputs = [{"OutputKey": "Url", "OutputValue": "here"}]
        return {"Stacks": [{"StackStatus": self.status, "Parameters": parameters, "Outputs": outputs}]}

    def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        late = {"LogicalResourceId": "b", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "Cancelled"}
        first = {"LogicalResourceId": "Role", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "No right."}
        return {"StackEvents": [late, first, {"LogicalResourceId": "a", "ResourceStatus": "CREATE_COMPLETE"}]}


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def cloudformation() -> CloudFormation:
    return CloudFormation()


@pytest.fixture(autouse=True)
def opened(service: Service, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open a target whose repository is ours, for the account that publishes."""
    repository = service.client(OWNER)

    class Target:
        class session:  # noqa: N801
            client = staticmethod(lambda _: cloudformation)

    monkeypatch.setattr(choices, "opened", lambda _: Target)
    monkeypatch.setattr(commands.publishing, "client", lambda _: repository)
    return repository


def run(*words: str, typed: str | None = None) -> Any:
    answer = CliRunner().invoke(app, ["sar", *words], input=typed)
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer


@pytest.fixture
def published(opened: Any) -> dict[str, Any]:
    made: dict[str, Any] = opened.create_application(
        **DESCRIBED, **LICENSED, SemanticVersion="1.0.0", TemplateBody=json.dumps(TEMPLATE)
    )
    return made


# Publish


def test_publishing_makes_the_application_and_then_its_next_version(opened: Any, tmp_path: Path) -> None:
    file = tmp_path / "packaged.json"
    for version in ("1.0.0", "1.1.0"):
        file.write_text(json.dumps(packaged(SemanticVersion=version, Description=f"Greets in {version}.")))
        made = json.loads(run("publish", str(file), "--json").stdout)
        assert (made["Version"]["SemanticVersion"], made["Description"]) == (version, f"Greets in {version}.")
        assert made["SharedWith"] == {"accounts": [], "organizations": [], "everybody": False}
    assert [one["SemanticVersion"] for one in publishing.versions(opened, ID)] == ["1.1.0", "1.0.0"]


@pytest.mark.parametrize("failing", ["update_application", "create_application_version"])
def test_what_failed_half_way_is_published_by_the_same_again(
    opened: Any, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    assert published["Description"] == "Greets."
    next_one = packaged(SemanticVersion="1.1.0", Description="Greets politely.")

    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "later"}}, failing)

    with monkeypatch.context() as patched:
        patched.setattr(opened, failing, fail)
        with pytest.raises(ClientError, match="later"):
            publishing.publish(opened, next_one)
    made = publishing.publish(opened, next_one)
    assert (made["Version"]["SemanticVersion"], made["Description"]) == ("1.1.0", "Greets politely.")


def test_what_a_new_version_has_no_more_is_taken_away(opened: Any) -> None:
    publishing.publish(opened, packaged(Labels=["polite"], HomePageUrl="https://example.com"))
    made = publishing.publish(opened, packaged(SemanticVersion="1.1.0"))

    assert not made.get("Labels")
    assert not made.get("HomePageUrl")
    assert publishing.publish(opened, packaged(SemanticVersion="1.2.0"))["Description"] == "Greets."


def test_a_version_that_is_published_is_refused_and_changes_nothing(opened: Any, published: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"greeting 1\.0\.0 is already published, and stays as it is"):
        publishing.publish(opened, packaged(Description="Another."))
    assert publishing.described(opened, "greeting")["Description"] == published["Description"]


def test_what_breaks_the_rules_is_refused_before_anything_is_published(opened: Any) -> None:
    broken = packaged(Name="a b", Author="A")
    del broken["Metadata"][METADATA]["SemanticVersion"]

    with pytest.raises(UsageError) as refused:
        publishing.publish(opened, broken)
    for part in ("Name is a b", "Author is A", "SemanticVersion is missing"):
        assert part in str(refused.value)
    assert list(publishing.own(opened)) == []


def test_a_type_that_the_repository_may_refuse_is_noted_and_published(tmp_path: Path) -> None:
    template = packaged()
    template["Resources"] = {**template["Resources"], "Policy": {"Type": "AWS::SSM::ResourcePolicy"}}
    file = tmp_path / "packaged.json"
    file.write_text(json.dumps(template))

    answer = run("publish", str(file), "--json")
    assert "AWS::SSM::ResourcePolicy (Policy) is not among" in answer.stderr
    assert json.loads(answer.stdout)["Name"] == "greeting"


def test_a_region_without_a_repository_is_refused_with_those_that_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    nowhere = boto3.Session(region_name="ap-southeast-4", aws_access_key_id="x", aws_secret_access_key="x")

    with pytest.raises(UsageError, match=r"no Serverless Application Repository in ap-southeast-4: .*us-east-1"):
        publishing.client(nowhere)
    for region in ("us-east-1", "eu-central-1", "cn-north-1"):
        there = boto3.Session(region_name=region, aws_access_key_id="x", aws_secret_access_key="x")
        assert publishing.client(there).meta.region_name == region


# Find


def test_what_is_not_shared_and_what_is_not_there_are_told_apart(service: Service, opened: Any) -> None:
    opened.create_application(**DESCRIBED)

    with pytest.raises(LabError, match="is not shared with this account"):
        publishing.described(service.client(OTHER), ID)
    with pytest.raises(LabError, match=r"There is no .*/nothing:"):
        publishing.described(opened, f"{ID.rpartition('/')[0]}/nothing")
    with pytest.raises(LabError, match=r"no application nothing here \(it has: greeting\)"):
        publishing.described(opened, "nothing")
    with pytest.raises(LabError, match=r"greeting 9\.9\.9:"):
        publishing.described(opened, "greeting", "9.9.9")


@pytest.mark.usefixtures("published")
def test_the_list_says_with_whom_each_is_shared_and_one_is_shown_with_what_it_wants() -> None:
    run("share", "greeting", *WANTED, "--yes")

    assert f"greeting\tsomebody\tMIT\taccount {OTHER}" in run("list").stdout
    [listed] = json.loads(run("list", "--json").stdout)
    assert listed["SharedWith"]["accounts"] == [OTHER]
    shown = run("list", "greeting")
    assert "CAPABILITY_IAM: it makes roles or policies" in shown.stderr
    assert "Versions: 1.0.0" in shown.stdout
    assert json.loads(run("list", ID, "--json").stdout)["Versions"] == ["1.0.0"]


# Share


@pytest.mark.usefixtures("published")
def test_sharing_shows_what_becomes_visible_and_waits_for_a_yes(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="say --yes"):
        run("share", "greeting", *WANTED)
    answers = iter([False, True])

    def ask(_: str) -> None:
        if not next(answers):
            raise SystemExit(1)

    monkeypatch.setattr(commands.choices, "ask", ask)
    refused = run("share", "greeting", *WANTED)
    assert refused.exit_code == 1
    for part in (
        f"with account {OTHER}",
        "every version, with its template",
        "1.0.0",
        "its licence: MIT",
        "account's number",
    ):
        assert part in refused.stderr.replace("\n", " ")
    assert sharing.audience_now(opened, ID) == sharing.Audience()
    assert run("share", "greeting", *WANTED).exit_code == 0
    assert sharing.audience_now(opened, ID) == sharing.Audience(accounts=(OTHER,))


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("words", "audience"),
    [
        (["--account", OTHER, "--account", "444455556666"], sharing.Audience((OTHER, "444455556666"))),
        (["--organization", ORGANIZATION], sharing.Audience((), (ORGANIZATION,))),
        (["--organization", ORGANIZATION, "--account", OTHER], sharing.Audience((OTHER,), (ORGANIZATION,))),
        (["--public"], sharing.Audience(everybody=True)),
        (["--private"], sharing.Audience()),
    ],
)
def test_what_is_said_now_takes_the_place_of_what_was(
    opened: Any, words: list[str], audience: sharing.Audience
) -> None:
    run("share", "greeting", "--account", "999988887777", "--yes")
    run("share", "greeting", *words, "--yes")

    assert sharing.audience_now(opened, ID) == audience


def test_what_has_no_licence_is_not_for_everybody_and_stays_private(opened: Any) -> None:
    opened.create_application(**DESCRIBED)

    with pytest.raises(UsageError, match=r"lacks a semantic version and a licence and .* another name"):
        run("share", "greeting", "--public", "--yes")
    assert sharing.audience_now(opened, ID) == sharing.Audience()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Say whom to share with"),
        (["--public", "--private"], "Say whom to share with"),
        (["--public", *WANTED], "Say whom to share with"),
        (["--account", "1234"], "--account 1234: the 12 digits"),
        (["--organization", "everybody"], "--organization everybody: an id such as"),
    ],
)
def test_a_wrong_audience_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run("share", "greeting", *words, "--yes")


# Deploy


@pytest.mark.usefixtures("published")
def test_nothing_is_prepared_before_the_capabilities_are_agreed_to(
    service: Service, cloudformation: CloudFormation
) -> None:
    with pytest.raises(UsageError, match="say --yes"):
        run("deploy", "greeting", "-p", "Needed=1")

    assert service.around.change_sets == []
    assert cloudformation.calls == []


@pytest.mark.usefixtures("published")
def test_a_no_to_the_changes_leaves_nothing_behind(
    service: Service, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.choices, "ask", lambda _: None)

    answer = run("deploy", "greeting", "-p", "Needed=1", typed="n\n")

    assert answer.exit_code == 1
    assert "Add\tAWS::IAM::Role\tRole" in answer.stdout
    assert len(service.around.change_sets) == 1
    assert cloudformation.calls == ["change_set_create_complete", "delete_change_set", "delete_stack"]


@pytest.mark.usefixtures("published")
def test_the_end_of_what_is_typed_is_a_no(cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.choices, "ask", lambda _: None)

    answer = run("deploy", "greeting", "-p", "Needed=1", typed="")

    assert answer.exit_code == 1
    assert "the change set is gone" in answer.stderr
    assert cloudformation.calls == ["change_set_create_complete", "delete_change_set", "delete_stack"]


@pytest.mark.usefixtures("published")
def test_ctrl_c_at_the_question_is_a_no(cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands.choices, "ask", lambda _: None)
    monkeypatch.setattr(commands.typer, "confirm", interrupt)

    assert run("deploy", "greeting", "-p", "Needed=1").exit_code == 130
    assert cloudformation.calls == ["change_set_create_complete", "delete_change_set", "delete_stack"]


@pytest.mark.usefixtures("published")
def test_ctrl_c_while_the_change_set_is_made_leaves_nothing_behind(cloudformation: CloudFormation) -> None:
    cloudformation.interrupted = "change_set_create_complete"

    assert run("deploy", "greeting", "-p", "Needed=1", "--yes").exit_code == 130
    made = ["change_set_create_complete", "delete_change_set"]
    assert cloudformation.calls == [*made, *made, "delete_stack"]


@pytest.mark.usefixtures("published")
def test_ctrl_c_while_it_is_deployed_says_that_it_goes_on(cloudformation: CloudFormation) -> None:
    cloudformation.interrupted = "stack_create_complete"

    answer = run("deploy", "greeting", "-p", "Needed=1", "--yes")
    assert answer.exit_code == 130
    assert "CloudFormation goes on with the stack a" in answer.stderr
    assert "delete_change_set" not in cloudformation.calls


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("status", "waiter"),
    [("REVIEW_IN_PROGRESS", "stack_create_complete"), ("CREATE_COMPLETE", "stack_update_complete")],
)
def test_a_yes_deploys_with_what_it_wants_and_what_was_given(
    service: Service, cloudformation: CloudFormation, status: str, waiter: str
) -> None:
    cloudformation.status = status

    answer = run("deploy", ID, "-p", "Needed=1", "--stack", "mine", "--yes", "--json")

    assert json.loads(answer.stdout) == {"stack": "a", "outputs": {"Url": "here"}}
    [asked] = service.around.change_sets
    assert (asked["StackName"], asked["Capabilities"]) == ("mine", ["CAPABILITY_IAM"])
    assert asked["ParameterOverrides"] == [{"Name": "Needed", "Value": "1"}]
    assert cloudformation.calls[-2:] == ["execute_change_set", waiter]


@pytest.mark.usefixtures("published")
def test_an_update_keeps_the_values_that_are_not_given(service: Service, cloudformation: CloudFormation) -> None:
    cloudformation.status = "CREATE_COMPLETE"
    cloudformation.parameters = {"Name": "mine", "Needed": "1", "Gone": "x"}

    answer = run("deploy", "greeting", "-p", "Needed=2", "--yes")

    [asked] = service.around.change_sets
    assert {one["Name"]: one["Value"] for one in asked["ParameterOverrides"]} == {"Name": "mine", "Needed": "2"}
    assert "As it is deployed: Name=mine\n" in answer.stderr


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_an_empty_stack_has_no_values_to_keep(cloudformation: CloudFormation, status: str) -> None:
    cloudformation.status = status
    cloudformation.parameters = {"Needed": "1"}
    with pytest.raises(UsageError, match="Needed of greeting need a value"):
        run("deploy", "greeting", "--yes")


def test_a_stack_that_is_not_there_has_no_values_to_keep(cloudformation: CloudFormation) -> None:
    cloudformation.status = None
    assert deploying.deployed_values(cloudformation, "serverlessrepo-greeting") == {}


@pytest.mark.parametrize("is_secret", [True, False], ids=["secret", "secret-until-now"])
def test_a_secret_that_is_deployed_must_be_given_again(
    opened: Any, cloudformation: CloudFormation, is_secret: bool
) -> None:
    template = {**TEMPLATE, "Parameters": {"Password": {"Type": "String", "NoEcho": is_secret, "Default": "none"}}}
    opened.create_application(**DESCRIBED, SemanticVersion="1.0.0", TemplateBody=json.dumps(template))
    cloudformation.status, cloudformation.parameters = "CREATE_COMPLETE", {"Password": "****"}

    with pytest.raises(UsageError, match="Password of greeting cannot be read from what is deployed"):
        run("deploy", "greeting", "--yes")
    assert "Password=" not in run("deploy", "greeting", "-p", "Password=secret", "--yes").stderr


@pytest.mark.usefixtures("published")
def test_what_an_update_replaces_is_said_before_the_question(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.choices, "ask", lambda _: None)
    cloudformation.changes = [
        {"Action": "Modify", "ResourceType": "A", "LogicalResourceId": name, "Replacement": replacement}
        for name, replacement in (("Table", "True"), ("Queue", "Conditional"), ("Role", "False"))
    ]

    answer = run("deploy", "greeting", "-p", "Needed=1", typed="n\n")

    shown = [line for line in answer.stdout.splitlines() if line.startswith("Modify")]
    assert shown == ["Modify\tA\tTable\tyes", "Modify\tA\tQueue\tperhaps", "Modify\tA\tRole\t"]
    said, _, asked = answer.stderr.partition("Make these 3 changes")
    assert "New ones take their place, without what is in them: Table, Queue (perhaps)" in said
    assert asked


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Needed of greeting need a value"),
        (["-p", "Needed"], "-p Needed: written NAME=VALUE"),
        (["-p", "Colour=red"], "one of the application's parameters: Name, Needed"),
    ],
)
def test_parameters_are_those_of_the_application(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run("deploy", "greeting", *words, "--yes")


def test_an_application_without_a_version_cannot_be_deployed(opened: Any) -> None:
    opened.create_application(**DESCRIBED)
    with pytest.raises(UsageError, match="greeting has no version to deploy"):
        run("deploy", "greeting", "--yes")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("change_set_create_complete", "nothing to deploy: There is nothing to change"),
        ("stack_create_complete", r"a was not deployed: Role: No right\."),
    ],
)
def test_a_deployment_that_fails_says_the_first_reason(cloudformation: CloudFormation, fails: str, said: str) -> None:
    cloudformation.fails = fails
    with pytest.raises(LabError, match=said):
        run("deploy", "greeting", "-p", "Needed=1", "--yes")


def test_a_failure_without_a_reason_says_where_to_look() -> None:
    client = boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_response("describe_stack_events", {"StackEvents": []})
        assert deploying._why(client, "a") == "read its events."
