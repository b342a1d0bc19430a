"""Serverless Application Repository: Lab 15.1 as an application that others can find and deploy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import Aws, CfnCondition, CfnParameter, DefaultStackSynthesizer, Fn, Token

from lab_stacks.section import Section
from lab_stacks.sqs_lambda import SqsLambda
from lambda_src.nested_application.construct import NestedApplication
from lambda_src.published_application.construct import PublishedApplication

if TYPE_CHECKING:
    from aws_cdk import Stack
    from constructs import Construct

#: The value of a parameter that names nothing. Not an empty text: who checks a template takes defaults for values.
GENERATED = "generated"
ROOT = Path(__file__).resolve().parent.parent
#: The application's parameters: what each names, and its name where nobody gives one. The stack's name is in that of
#: the queue, and CloudFormation makes the others, so that one application can be deployed beside another.
NAMES = {
    "CustomQueueName": ("of the queue that messages are sent to", Fn.sub("${AWS::StackName}-Messages")),
    "CustomFunctionName": ("of the function that handles them", Aws.NO_VALUE),
    "CustomTableName": ("of the table that they are written to", Aws.NO_VALUE),
}


class Sar(Section):
    """The application ``serverless-lab-sqs-lambda``, made from Lab 15.1's stack, and the bucket that it is packaged to.

    Context: ``application_name``, ``semantic_version``, ``author``, and ``source_code_url``; and, to nest a published
    application in this stack, ``nested_application`` (its ARN) and ``nested_version``.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Define the application, in the order in which the chapter tells it."""
        super().__init__(scope, construct_id, **kwargs)

        # Manifest: the AWS SAM template
        names = {"queue_name": _name("CustomQueueName"), "function_name": _name("CustomFunctionName")}
        # What is the publisher's own stays out of what others deploy.
        context = {**names, "table_name": _name("CustomTableName"), "client": "none", "alarm_topic": ""}
        lab = SqsLambda(
            PublishedApplication.workspace(self, context=context),
            "SqsLambda",
            section="sqs-lambda",
            posture=self.posture,
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        for parameter, (what, _) in NAMES.items():
            _add_parameter(lab, parameter, what)
        # Publish: private, until somebody shares it
        application = PublishedApplication(
            self,
            "Application",
            application=lab,
            application_name=(name := self.setting("application_name", "serverless-lab-sqs-lambda")),
            semantic_version=(version := self.setting("semantic_version", "1.0.0")),
            author=self.setting("author", "serverless-lab"),
            description="Messages of an Amazon SQS queue, written to a DynamoDB table by a Lambda function, none lost.",
            spdx_license_id="MIT",
            license_file=ROOT / "LICENSE",
            readme_file=Path(__file__).with_name("sar_readme.md"),
            labels=["sqs", "lambda", "dynamodb"],
            source_code_url=self.setting("source_code_url", "") or None,
            posture=self.posture,
        )
        # Deploy: as a part of another stack
        nested, nested_version = self.setting("nested_application", ""), self.setting("nested_version", "1.0.0")
        if nested:
            deployed = NestedApplication(self, "Nested", application_id=nested, semantic_version=nested_version)
            self.output("NestedQueueUrl", deployed.output("QueueUrl"))
            self.output("NestedTableName", deployed.output("TableName"))

        self.output("BucketName", application.bucket.bucket_name)
        self.output("ApplicationName", name)
        self.output("SemanticVersion", version)


def _name(parameter: str) -> str:
    return Token.as_string(Fn.condition_if(f"{parameter}Given", Fn.ref(parameter), NAMES[parameter][1]))


def _add_parameter(stack: Stack, parameter: str, what: str) -> None:
    CfnParameter(
        stack,
        parameter,
        default=GENERATED,
        description=f"Name {what}; {GENERATED}: one is made from the stack's.",
        allowed_pattern="[A-Za-z0-9_-]{3,64}",
        constraint_description="3 to 64 letters, digits, hyphens and underscores",
    )
    CfnCondition(
        stack, f"{parameter}Given", expression=Fn.condition_not(Fn.condition_equals(Fn.ref(parameter), GENERATED))
    )
