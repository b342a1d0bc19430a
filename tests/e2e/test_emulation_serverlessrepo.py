"""The emulator's application repository: types of CloudFormation, other accounts, and a stop and a start."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, WaiterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from .conftest import Lab

OTHER = "111122223333"
BUCKET = "packages-of-a-test"
POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "serverlessrepo.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}},
        }
    ]
}
CODE = "def handler(event, context):\n    return {'greeting': 'hello'}\n"
DESCRIBED = {"Name": "greeting", "Author": "somebody", "Description": "Greets."}
LICENSED = {"LicenseBody": "MIT License", "SpdxLicenseId": "MIT"}


def application(**resources: Any) -> str:
    greet = {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "CodeUri": f"s3://{BUCKET}/code.zip",
            "Handler": "app.handler",
            "Runtime": "python3.14",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [trust]}}}
    return json.dumps(
        {
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {"Greet": greet, "Role": role, **resources},
            "Outputs": {"FunctionName": {"Value": {"Ref": "Greet"}}},
        }
    )


def nesting(application_id: str) -> str:
    location = {"ApplicationId": application_id, "SemanticVersion": "1.0.0"}
    return json.dumps(
        {
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {"Inner": {"Type": "AWS::Serverless::Application", "Properties": {"Location": location}}},
            "Outputs": {"FunctionName": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.FunctionName"]}}},
        }
    )


@pytest.fixture
def session(session: boto3.Session) -> Iterator[boto3.Session]:
    """A bucket with code that the repository may read, and at the end no application."""
    s3 = session.client("s3")
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("app.py", CODE)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="code.zip", Body=written.getvalue())
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(POLICY))
    yield session
    repository = session.client("serverlessrepo")
    for one in repository.list_applications()["Applications"]:
        repository.delete_application(ApplicationId=one["ApplicationId"])


@pytest.fixture(scope="module", autouse=True)
def emulator(lab: Lab) -> None:
    lab("up", "sar")


@pytest.fixture
def published(session: boto3.Session) -> str:
    made = session.client("serverlessrepo").create_application(
        **DESCRIBED, **LICENSED, SemanticVersion="1.0.0", TemplateBody=application()
    )
    return str(made["ApplicationId"])


def other(session: boto3.Session, service: str) -> Any:
    client: Any = session.client(service, aws_access_key_id=OTHER, aws_secret_access_key="test")  # type: ignore[call-overload]
    return client


def deployed(cloudformation: Any, name: str, template: str) -> dict[str, str]:
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    cloudformation.create_stack(StackName=name, TemplateBody=template, Capabilities=capabilities)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def greeting(client: Any, function: str) -> Any:
    return json.loads(client.invoke(FunctionName=function)["Payload"].read())


@pytest.mark.parametrize(
    "policy",
    [
        None,
        {"Statement": [{**POLICY["Statement"][0], "Principal": {"Service": "lambda.amazonaws.com"}}]},
        {"Statement": [{**POLICY["Statement"][0], "Action": "s3:PutObject"}]},
        {"Statement": [{**POLICY["Statement"][0], "Resource": f"arn:aws:s3:::{BUCKET}/another/*"}]},
        {"Statement": [{**POLICY["Statement"][0], "Condition": {"StringEquals": {"aws:SourceAccount": OTHER}}}]},
        {"Statement": [*POLICY["Statement"], {**POLICY["Statement"][0], "Effect": "Deny"}]},
    ],
)
def test_a_bucket_that_does_not_let_the_repository_read_is_not_read(session: boto3.Session, policy: Any) -> None:
    s3, repository = session.client("s3"), session.client("serverlessrepo")
    if policy:
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    else:
        s3.delete_bucket_policy(Bucket=BUCKET)

    with pytest.raises(ClientError, match=r"BadRequestException.*read access to bucket"):
        repository.create_application(**DESCRIBED, SemanticVersion="1.0.0", TemplateBody=application())
    assert repository.list_applications()["Applications"] == []


def test_another_account_nests_it_only_when_it_is_shared_and_runs_the_published_code(
    session: boto3.Session, published: str
) -> None:
    cloudformation = other(session, "cloudformation")
    with pytest.raises(ClientError, match="not authorized to perform: serverlessrepo:CreateCloudFormationTemplate"):
        deployed(cloudformation, "Outer", nesting(published))
    session.client("serverlessrepo").put_application_policy(
        ApplicationId=published, Statements=[{"Principals": [OTHER], "Actions": ["Deploy"]}]
    )
    # What was published is the repository's: the publisher's own copy is not needed any more.
    session.client("s3").delete_object(Bucket=BUCKET, Key="code.zip")

    outputs = deployed(cloudformation, "Outer", nesting(published))
    assert greeting(other(session, "lambda"), outputs["FunctionName"]) == {"greeting": "hello"}
    cloudformation.delete_stack(StackName="Outer")


def test_a_nested_application_without_the_transform_is_refused(session: boto3.Session, published: str) -> None:
    template = json.loads(nesting(published))
    del template["Transform"], template["Outputs"]
    cloudformation = session.client("cloudformation")

    with pytest.raises(WaiterError):
        deployed(cloudformation, "Untransformed", json.dumps(template))
    events = cloudformation.describe_stack_events(StackName="Untransformed")["StackEvents"]
    assert any("needs Transform: AWS::Serverless" in one.get("ResourceStatusReason", "") for one in events)
    cloudformation.delete_stack(StackName="Untransformed")


def test_cloudformation_publishes_changes_and_removes_an_application(session: boto3.Session) -> None:
    cloudformation, repository = session.client("cloudformation"), session.client("serverlessrepo")

    def template(**changed: str) -> str:
        properties = {**DESCRIBED, **LICENSED, "SemanticVersion": "1.0.0", "TemplateBody": application(), **changed}
        made = {"Type": "AWS::ServerlessRepo::Application", "Properties": properties}
        return json.dumps({"Resources": {"App": made}, "Outputs": {"Id": {"Value": {"Ref": "App"}}}})

    application_id = deployed(cloudformation, "Publishing", template())["Id"]
    assert application_id == "arn:aws:serverlessrepo:us-east-1:000000000000:applications/greeting"
    changed = template(Description="Greets politely.", SemanticVersion="1.1.0")
    cloudformation.update_stack(StackName="Publishing", TemplateBody=changed)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="Publishing", WaiterConfig={"Delay": 1})

    found = repository.get_application(ApplicationId=application_id)
    assert (found["Description"], found["Version"]["SemanticVersion"]) == ("Greets politely.", "1.1.0")
    # Another template, and the same version.
    cloudformation.update_stack(StackName="Publishing", TemplateBody=changed.replace("app.handler", "app.other"))
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_update_complete").wait(StackName="Publishing", WaiterConfig={"Delay": 1})
    cloudformation.delete_stack(StackName="Publishing")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="Publishing", WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError, match="NotFoundException"):
        repository.get_application(ApplicationId=application_id)


def test_a_role_may_do_with_the_repository_what_its_policies_say(session: boto3.Session, published: str) -> None:
    iam = session.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    permitted = {"Effect": "Allow", "Action": "serverlessrepo:GetApplication", "Resource": published}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [permitted]})
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=policy)
    assumed = session.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    reader = session.client(
        "serverlessrepo",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )

    assert reader.get_application(ApplicationId=published)["Name"] == "greeting"
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.delete_application(ApplicationId=published)
    iam.delete_role_policy(RoleName="reader", PolicyName="read")
    iam.delete_role(RoleName="reader")


def test_what_is_published_outlives_a_stop_and_a_start(lab: Lab, session: boto3.Session, published: str) -> None:
    lab("down")
    lab("up", "sar")

    endpoint = json.loads(lab("env", "--json").stdout)["AWS_ENDPOINT_URL"]
    repository = session.client("serverlessrepo", endpoint_url=endpoint)
    found = repository.get_application(ApplicationId=published)
    assert found["Version"]["SemanticVersion"] == "1.0.0"
    with urllib.request.urlopen(found["LicenseUrl"], timeout=30) as answer:  # noqa: S310 - the emulator
        assert answer.read() == b"MIT License"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(found["LicenseUrl"].partition("?")[0], timeout=30)  # noqa: S310 - the emulator
