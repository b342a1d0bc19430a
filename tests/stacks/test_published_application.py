"""A stack becomes an application that AWS's own tools take, and what cannot be published is refused in one error."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template

from lambda_src.function.construct import PythonFunction
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from lambda_src.published_application import construct
from lambda_src.published_application.construct import PublishedApplication
from tests.stacks.synthesis import ROOT, only

SAM = ROOT / ".environments" / "sam" / "bin" / "sam"
LICENSE = ROOT / "LICENSE"
OPTIONS: dict[str, Any] = {
    "application_name": "app",
    "semantic_version": "1.0.0",
    "author": "somebody",
    "description": "It does.",
}


def made(stack: cdk.Stack, application: cdk.Stack | None = None, **options: Any) -> PublishedApplication:
    if application is None:
        application = cdk.Stack(PublishedApplication.workspace(stack), "App")
        sqs.Queue(application, "Queue")
    return PublishedApplication(stack, "Application", application=application, **{**OPTIONS, **options})


def template_of(application: PublishedApplication) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(application.template_file.read_text())
    return template


def sam_validate(file: Path) -> subprocess.CompletedProcess[str]:
    """Validate a template with the real SAM CLI, which asks AWS for nothing but with credentials."""
    words = [str(SAM), "validate", "--lint", "--template-file", str(file), "--region", "us-east-1"]
    environ = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(words, env=environ, cwd=file.parent, capture_output=True, text=True, check=False, timeout=180)


def test_the_sam_cli_takes_a_function_with_everything_and_refuses_a_broken_one(
    stack: cdk.Stack, runtime_code: Path
) -> None:
    application = cdk.Stack(
        PublishedApplication.workspace(stack),
        "App",
        synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )
    name = cdk.CfnParameter(application, "CustomName", default="generated").value_as_string
    function = PythonFunction(
        application,
        "Function",
        runtime_code=runtime_code,
        environment={"NAME": name},
        dead_letter_queue=sqs.Queue(application, "Failed", enforce_ssl=True),
        reserved_concurrency=1,
    )
    cdk.CfnOutput(application, "FunctionName", value=function.function_name)
    file = made(stack, application, license_file=LICENSE, spdx_license_id="MIT").template_file

    taken = sam_validate(file)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    template = json.loads(file.read_text())
    [properties] = [
        one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"
    ]
    properties["MemorySize"] = 1
    file.write_text(json.dumps(template))
    refused = sam_validate(file)
    assert refused.returncode != 0
    assert "less than the minimum of 128" in refused.stdout + refused.stderr


def test_what_it_names_is_in_the_cloud_assembly(stack: cdk.Stack, runtime_code: Path) -> None:
    application = cdk.Stack(PublishedApplication.workspace(stack), "App")
    PythonFunction(application, "Function", runtime_code=runtime_code)
    published = made(stack, application, license_file=LICENSE, spdx_license_id="MIT", readme_file=ROOT / "README.md")

    template, folder = template_of(published), published.template_file.parent
    assert folder == Path(cdk.Stage.of(stack).outdir)  # type: ignore[union-attr]
    [code] = [
        one["Properties"]["CodeUri"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Serverless::Function"
    ]
    assert (folder / code / runtime_code.name / "handler.py").is_file()
    metadata = template["Metadata"]["AWS::ServerlessRepo::Application"]
    assert (folder / metadata["LicenseUrl"]).read_bytes() == LICENSE.read_bytes()
    assert (folder / metadata["ReadmeUrl"]).is_file()
    for path in (code, metadata["LicenseUrl"], metadata["ReadmeUrl"]):
        assert not path.startswith(("/", "..")), path


def test_what_was_not_given_is_not_in_the_metadata(stack: cdk.Stack) -> None:
    assert template_of(made(stack))["Metadata"]["AWS::ServerlessRepo::Application"] == {
        "Name": "app",
        "Description": "It does.",
        "Author": "somebody",
        "SemanticVersion": "1.0.0",
    }


def test_its_context_is_the_stacks_and_what_differs(stack: cdk.Stack) -> None:
    stack.node.set_context("colour", "red")
    stack.node.set_context("size", "small")
    workspace = PublishedApplication.workspace(stack, context={"size": "large"})

    assert [workspace.node.try_get_context(name) for name in ("colour", "size")] == ["red", "large"]


def test_the_repository_reads_the_bucket_for_this_account_alone(stack: cdk.Stack) -> None:
    made(stack)

    template = Template.from_stack(stack)
    policy = only(template.to_json(), "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    [allowed] = [one for one in policy if one["Effect"] == "Allow"]
    assert allowed["Action"] == "s3:GetObject"
    assert allowed["Principal"] == {"Service": "serverlessrepo.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    [denied] = [one for one in policy if one["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    template.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "VersioningConfiguration": {"Status": "Enabled"},
            "PublicAccessBlockConfiguration": Match.object_like({"BlockPublicPolicy": True}),
        },
    )


@pytest.mark.parametrize(
    ("posture", "deletion"), [(Posture.LAB, "Delete"), (Posture.PRODUCTION, "RetainExceptOnCreate")]
)
def test_posture_says_whether_packages_outlive_the_stack(stack: cdk.Stack, posture: Posture, deletion: str) -> None:
    made(stack, posture=posture)
    Template.from_stack(stack).has_resource("AWS::S3::Bucket", {"DeletionPolicy": deletion})


def test_every_wrong_option_is_said_in_one_error(
    stack: cdk.Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(construct, "LARGEST_DOCUMENT", 10)
    (tmp_path / "README.md").write_text("longer than ten")
    with pytest.raises(InvalidOptionsError) as refused:
        made(
            stack,
            sqs.Queue(cdk.Stack(cdk.App(), "Other"), "Queue").stack,
            application_name="two words",
            semantic_version="1",
            author="Me",
            description="",
            labels=["a b"],
            home_page_url="here",
            source_code_url="there",
            license_file=tmp_path / "nowhere",
            readme_file=tmp_path / "README.md",
        )
    lines = str(refused.value).splitlines()
    assert lines[0] == "PublishedApplication Empty/Application:"
    assert [line.split(" is ")[0].strip() for line in lines[1:]] == [
        "application_name",
        "author",
        "semantic_version",
        "description",
        "labels",
        "home_page_url",
        "source_code_url",
        "license_file",
        "license_file",
        "readme_file",
    ]


def test_a_stack_of_the_same_app_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidOptionsError, match=r"application is Empty: a stack in an app of its own"):
        made(stack, stack)


def test_what_needs_another_asset_is_refused(stack: cdk.Stack, runtime_code: Path) -> None:
    application = cdk.Stack(PublishedApplication.workspace(stack), "App")
    lambda_.LayerVersion(application, "Layer", code=lambda_.Code.from_asset(str(runtime_code)))

    with pytest.raises(
        InvalidOptionsError, match=r"application App: Layer\w+: only a function's code can be published"
    ):
        made(stack, application)


def test_a_type_that_the_repository_is_not_known_to_take_is_a_warning(stack: cdk.Stack) -> None:
    application = cdk.Stack(PublishedApplication.workspace(stack), "App")
    cloudwatch.CfnCompositeAlarm(application, "Doubtful", alarm_rule="TRUE")
    sqs.Queue(application, "Queue")
    made(stack, application)

    doubts = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    assert [one.id for one in doubts] == ["/Empty/Application"]
    assert "AWS::CloudWatch::CompositeAlarm (Doubtful) is not among" in str(doubts[0].entry.data)


def test_a_topic_for_failures_stays_one(stack: cdk.Stack, runtime_code: Path) -> None:
    application = cdk.Stack(PublishedApplication.workspace(stack), "App")
    lambda_.Function(
        application,
        "Function",
        code=lambda_.Code.from_asset(str(runtime_code)),
        handler="handler.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        dead_letter_topic=sns.Topic(application, "Failed"),
    )
    template = template_of(made(stack, application))
    [queue] = [
        one["Properties"].get("DeadLetterQueue")
        for one in template["Resources"].values()
        if "Serverless" in one["Type"]
    ]
    assert queue["Type"] == "SNS"
