"""The local repository refuses what AWS refuses, shows others just what is shared, and keeps what is published."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fake_serverlessrepo import BUCKET, DESCRIBED, LICENSED, TEMPLATE, VERSION, Service

OWNER, OTHER, THIRD = "000000000000", "111122223333", "444455556666"
ORGANIZATION = "o-a1b2c3d4e5"
ID = f"arn:aws:serverlessrepo:us-east-1:{OWNER}:applications/greeting"


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def owner(service: Service) -> Any:
    return service.client(OWNER)


@pytest.fixture
def published(owner: Any) -> dict[str, Any]:
    made: dict[str, Any] = owner.create_application(**DESCRIBED, **VERSION, **LICENSED)
    return made


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def share(
    owner: Any, *principals: str, organizations: tuple[str, ...] = (), actions: tuple[str, ...] = ("Deploy",)
) -> None:
    statement: dict[str, Any] = {"Principals": list(principals), "Actions": list(actions)}
    if organizations:
        statement["PrincipalOrgIDs"] = list(organizations)
    owner.put_application_policy(ApplicationId=ID, Statements=[statement])


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"Name": "two words"}, "Name is two words"),
    ({"Author": "Upper"}, "Author is Upper"),
    ({"Author": "two--hyphens"}, "Author is two--hyphens"),
    ({"Description": "x" * 257}, "Description is"),
    ({"SemanticVersion": "1.0"}, "SemanticVersion is 1.0"),
    ({"Labels": ["no spaces"]}, "Labels is no spaces"),
    ({"Labels": [f"l{number}" for number in range(11)]}, "10 at most"),
    ({"TemplateBody": "{"}, "The template is none"),
    ({"TemplateUrl": f"s3://{BUCKET}/code.zip"}, "not both"),
    ({"LicenseBody": "x", "LicenseUrl": f"s3://{BUCKET}/code.zip", "SpdxLicenseId": "MIT"}, "not both"),
    ({"LicenseUrl": f"s3://{BUCKET}/not-there", "SpdxLicenseId": "MIT"}, "does not have read access to bucket"),
    ({"ReadmeBody": "x" * (5 * 1024 * 1024 + 1)}, "5,242,880 at most"),
]


@pytest.mark.parametrize(("changed", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_what_breaks_a_rule_is_refused_and_nothing_is_published(owner: Any, changed: dict[str, Any], said: str) -> None:
    code, message = refusal(owner.create_application, **{**DESCRIBED, **VERSION, **changed})

    assert code == "BadRequestException"
    assert said in message
    assert owner.list_applications()["Applications"] == []


def test_code_that_is_on_the_publishers_machine_or_closed_to_the_service_is_refused(owner: Any) -> None:
    for place in ("./code", "s3://closed/code.zip", {"Bucket": BUCKET, "Key": "code.zip"}):
        template = json.loads(json.dumps(TEMPLATE))
        template["Resources"]["Greet"]["Properties"]["CodeUri"] = place
        code, _ = refusal(
            owner.create_application, **DESCRIBED, SemanticVersion="1.0.0", TemplateBody=json.dumps(template)
        )
        assert code == "BadRequestException"


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/applications", b"{", "is not JSON"),
        ("POST", "/applications", b"[]", "is no object"),
        ("POST", "/applications", b'{"name": "a", "colour": "red"}', "takes no colour"),
        ("POST", "/applications", b'{"name": "a"}', "Missing required parameter"),
        ("POST", "/applications", b'{"name": 1, "author": "a", "description": "b"}', "Invalid type for parameter Name"),
        ("GET", "/applications?maxItems=many", b"", "maxItems is many"),
        ("DELETE", "/applications", b"", "no operation DELETE"),
    ],
)
def test_what_the_published_model_does_not_have_is_refused(
    service: Service, method: str, path: str, body: bytes, said: str
) -> None:
    path, _, query = path.partition("?")
    words = [pair.split("=") for pair in query.split("&") if pair]
    status, _, answer = service.api.answer(method, path, {name: [value] for name, value in words}, body)

    assert status in {400, 404}
    assert said in json.loads(answer)["message"]


def test_an_answer_that_the_model_does_not_have_is_our_own_fault(service: Service) -> None:
    service.repository.list_applications = lambda _: {"Applications": [{"Name": 7}]}  # type: ignore[method-assign]

    with pytest.raises(AssertionError, match="Invalid type for parameter Applications"):
        service.api.answer("GET", "/applications", {}, b"")


def test_what_is_published_is_described_with_what_it_asks_for(published: dict[str, Any]) -> None:
    version = published["Version"]

    assert published["ApplicationId"] == ID
    assert version["RequiredCapabilities"] == ["CAPABILITY_IAM"]
    assert version["ParameterDefinitions"] == [
        {
            "Name": "Name",
            "Type": "String",
            "DefaultValue": "generated",
            "MinLength": 3,
            "ReferencedByResources": ["Greet"],
        },
        {"Name": "Needed", "Type": "Number", "ReferencedByResources": ["Role"]},
    ]


def test_the_code_is_copied_so_that_it_stays_when_the_publisher_removes_it(
    service: Service, published: dict[str, Any]
) -> None:
    service.around.objects.clear()

    assert service.around.kept[f"{OWNER}/greeting/1.0.0/code.zip"] == b"code"
    template = json.loads(service.around.kept[f"{OWNER}/greeting/1.0.0/template.json"])
    assert template["Resources"]["Greet"]["Properties"]["CodeUri"].startswith("s3://repository/")
    assert published["Version"]["TemplateUrl"].endswith("template.json?signed")


@pytest.mark.usefixtures("published")
def test_a_version_is_added_and_none_is_replaced(owner: Any) -> None:
    again = {"ApplicationId": ID, "TemplateBody": VERSION["TemplateBody"]}

    assert refusal(owner.create_application_version, SemanticVersion="1.0.0", **again)[0] == "ConflictException"
    assert refusal(owner.create_application_version, SemanticVersion="one", **again)[0] == "BadRequestException"
    assert refusal(owner.create_application, **DESCRIBED)[0] == "ConflictException"
    owner.create_application_version(SemanticVersion="1.1.0", **again)

    versions = owner.list_application_versions(ApplicationId=ID)["Versions"]
    assert [one["SemanticVersion"] for one in versions] == ["1.1.0", "1.0.0"]
    assert owner.get_application(ApplicationId=ID)["Version"]["SemanticVersion"] == "1.1.0"
    assert owner.get_application(ApplicationId=ID, SemanticVersion="1.0.0")["Version"]["SemanticVersion"] == "1.0.0"
    assert refusal(owner.get_application, ApplicationId=ID, SemanticVersion="9.0.0")[0] == "NotFoundException"


@pytest.mark.usefixtures("published")
def test_a_description_is_changed_and_a_broken_one_changes_nothing(owner: Any) -> None:
    owner.update_application(ApplicationId=ID, Description="Greets politely.", ReadmeBody="# Hello")
    assert refusal(owner.update_application, ApplicationId=ID, Author="No Body")[0] == "BadRequestException"

    found = owner.get_application(ApplicationId=ID)
    assert (found["Description"], found["Author"]) == ("Greets politely.", "somebody")
    assert found["ReadmeUrl"].endswith("readme?signed")


def test_lists_come_in_pages(owner: Any) -> None:
    for number in range(5):
        owner.create_application(**{**DESCRIBED, "Name": f"app-{number}"})
    pages = list(owner.get_paginator("list_applications").paginate(PaginationConfig={"PageSize": 2}))

    assert [len(page["Applications"]) for page in pages] == [2, 2, 1]
    assert refusal(owner.list_applications, NextToken="somewhere")[0] == "BadRequestException"


@pytest.mark.usefixtures("published")
def test_others_see_nothing_of_it_before_it_is_shared_and_nothing_after(service: Service, owner: Any) -> None:
    other = service.client(OTHER)
    attempts: list[tuple[Any, dict[str, Any]]] = [
        (other.get_application, {}),
        (other.list_application_versions, {}),
        (other.list_application_dependencies, {}),
        (other.create_cloud_formation_template, {}),
        (other.create_cloud_formation_change_set, {"StackName": "a", "Capabilities": ["CAPABILITY_IAM"]}),
    ]
    for shared in (False, True, False):
        owner.put_application_policy(
            ApplicationId=ID, Statements=[{"Principals": [OTHER], "Actions": ["Deploy"]}] if shared else []
        )
        for call, more in attempts:
            if shared:
                call(ApplicationId=ID, **more)
            else:
                assert refusal(call, ApplicationId=ID, **more)[0] == "AccessDeniedException"
    assert other.list_applications()["Applications"] == []


@pytest.mark.usefixtures("published")
def test_who_may_deploy_may_not_change_share_or_delete(service: Service, owner: Any) -> None:
    share(owner, OTHER)
    other = service.client(OTHER)
    more: dict[str, dict[str, Any]] = {
        "get_application_policy": {},
        "put_application_policy": {"Statements": []},
        "update_application": {"Description": "mine"},
        "create_application_version": {"SemanticVersion": "2.0.0", "TemplateBody": VERSION["TemplateBody"]},
        "delete_application": {},
        "unshare_application": {"OrganizationId": ORGANIZATION},
    }
    for call, parameters in more.items():
        assert refusal(getattr(other, call), ApplicationId=ID, **parameters)[0] == "AccessDeniedException", call


@pytest.mark.usefixtures("published")
def test_a_statement_permits_what_it_names_and_no_more(service: Service, owner: Any) -> None:
    share(owner, OTHER, actions=("GetApplication",))
    other = service.client(OTHER)

    assert other.get_application(ApplicationId=ID)["Name"] == "greeting"
    assert refusal(other.create_cloud_formation_template, ApplicationId=ID)[0] == "AccessDeniedException"


@pytest.mark.usefixtures("published")
def test_an_organization_is_its_members_until_its_management_account_ends_it(service: Service, owner: Any) -> None:
    service.around.organizations = {OTHER: ORGANIZATION, THIRD: ORGANIZATION, "999988887777": "o-somebodyelse"}
    service.around.managing = {OTHER}
    share(owner, "*", organizations=(ORGANIZATION,), actions=("Deploy", "UnshareApplication"))

    member, manager, stranger = (service.client(account) for account in (THIRD, OTHER, "999988887777"))
    assert member.get_application(ApplicationId=ID)["Name"] == "greeting"
    assert refusal(stranger.get_application, ApplicationId=ID)[0] == "AccessDeniedException"
    for not_the_manager in (member, stranger, owner):
        code, _ = refusal(not_the_manager.unshare_application, ApplicationId=ID, OrganizationId=ORGANIZATION)
        assert code == "AccessDeniedException"
    manager.unshare_application(ApplicationId=ID, OrganizationId=ORGANIZATION)
    assert refusal(member.get_application, ApplicationId=ID)[0] == "AccessDeniedException"


def test_only_what_has_a_licence_and_a_version_is_for_everybody(service: Service, owner: Any) -> None:
    owner.create_application(**DESCRIBED)
    code, message = refusal(
        owner.put_application_policy, ApplicationId=ID, Statements=[{"Principals": ["*"], "Actions": ["Deploy"]}]
    )
    assert code == "BadRequestException"
    assert all(part in message for part in ("a semantic version", "a licence", "SPDX"))

    owner.delete_application(ApplicationId=ID)
    owner.create_application(**DESCRIBED, **VERSION, **LICENSED)
    share(owner, "*")
    assert service.client(THIRD).get_application(ApplicationId=ID)["SpdxLicenseId"] == "MIT"


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "statement",
    [
        {"Principals": ["1234"], "Actions": ["Deploy"]},
        {"Principals": [OTHER], "Actions": ["DeleteApplication"]},
        {"Principals": [OTHER], "Actions": ["UnshareApplication"]},
        {"Principals": ["*"], "PrincipalOrgIDs": ["everybody"], "Actions": ["Deploy"]},
    ],
)
def test_a_statement_that_makes_no_sense_is_refused(owner: Any, statement: dict[str, Any]) -> None:
    code, _ = refusal(owner.put_application_policy, ApplicationId=ID, Statements=[statement])

    assert code == "BadRequestException"
    assert owner.get_application_policy(ApplicationId=ID)["Statements"] == []


@pytest.mark.usefixtures("published")
def test_a_change_set_is_the_callers_and_needs_every_capability(service: Service, owner: Any) -> None:
    share(owner, OTHER)
    other = service.client(OTHER)

    code, message = refusal(other.create_cloud_formation_change_set, ApplicationId=ID, StackName="mine")
    assert (code, service.around.change_sets) == ("BadRequestException", [])
    assert "CAPABILITY_IAM" in message
    asked = {"ApplicationId": ID, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    assert (
        refusal(other.create_cloud_formation_change_set, StackName="refused", **asked)[1] == "CloudFormation says no."
    )
    made = other.create_cloud_formation_change_set(StackName="mine", **asked)

    assert (made["SemanticVersion"], made["ApplicationId"]) == ("1.0.0", ID)
    [change_set] = service.around.change_sets
    assert change_set["account"] == OTHER
    assert "signed" not in change_set["template"]


@pytest.mark.usefixtures("published")
def test_a_template_is_for_who_asked_and_for_an_hour(service: Service, owner: Any) -> None:
    made = owner.create_cloud_formation_template(ApplicationId=ID)
    asked = {"ApplicationId": ID, "TemplateId": made["TemplateId"]}

    assert made["Status"] == owner.get_cloud_formation_template(**asked)["Status"] == "ACTIVE"
    assert refusal(service.client(OTHER).get_cloud_formation_template, **asked)[0] == "NotFoundException"
    service.repository.templates[made["TemplateId"]]["ExpirationTime"] = "2020-01-01T00:00:00.000Z"
    assert owner.get_cloud_formation_template(**asked)["Status"] == "EXPIRED"


def test_what_is_nested_is_a_dependency_and_a_capability(owner: Any) -> None:
    location = {"ApplicationId": ID, "SemanticVersion": "1.0.0"}
    nested = {"Resources": {"Inner": {"Type": "AWS::Serverless::Application", "Properties": {"Location": location}}}}
    made = owner.create_application(
        **{**DESCRIBED, "Name": "outer"}, SemanticVersion="1.0.0", TemplateBody=json.dumps(nested)
    )

    assert made["Version"]["RequiredCapabilities"] == ["CAPABILITY_AUTO_EXPAND"]
    answer = owner.list_application_dependencies(ApplicationId=made["ApplicationId"])
    assert answer["Dependencies"] == [location]


ACCOUNTS = [OTHER, THIRD]
STATEMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "Principals": st.lists(st.sampled_from([*ACCOUNTS, "*"]), min_size=1, max_size=2),
            "Actions": st.lists(st.sampled_from(["Deploy", "GetApplication", "SearchApplications"]), min_size=1),
        },
        optional={"PrincipalOrgIDs": st.just([ORGANIZATION])},
    ),
    max_size=4,
)


ONE = Service()


@settings(deadline=None)
@given(statements=STATEMENTS, members=st.sets(st.sampled_from(ACCOUNTS)))
def test_an_account_sees_it_exactly_when_a_statement_is_for_it(
    statements: list[dict[str, Any]], members: set[str]
) -> None:
    service = ONE
    service.around.account = OWNER
    service.repository.applications.clear()
    service.repository.create_application({**DESCRIBED, **VERSION, **LICENSED})
    service.repository.put_application_policy({"ApplicationId": ID, "Statements": statements})
    service.around.organizations = dict.fromkeys(members, ORGANIZATION)
    for account in ACCOUNTS:
        meant = [
            one
            for one in statements
            if {account, "*"} & {*one["Principals"]}
            and ("PrincipalOrgIDs" not in one or account in members)
            and {"Deploy", "GetApplication"} & {*one["Actions"]}
        ]
        service.around.account = account
        status, _, _ = service.api.answer("GET", f"/applications/{ID}", {}, b"")
        assert status == (200 if meant else 403)
