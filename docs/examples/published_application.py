"""A function that greets, as an application that others can find and deploy."""

from pathlib import Path

from aws_cdk import App, CfnOutput, DefaultStackSynthesizer, Stack

from lambda_src.function.construct import PythonFunction
from lambda_src.published_application.construct import PublishedApplication

app = App()
stack = Stack(app, "Publishing")

greeting = Stack(
    PublishedApplication.workspace(stack),
    "Greeting",
    synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
)
function = PythonFunction(greeting, "Greet", runtime_code=Path(__file__).parent / "greeting")
CfnOutput(greeting, "FunctionName", value=function.function_name)

published = PublishedApplication(
    stack,
    "Application",
    application=greeting,
    application_name="greeting",
    semantic_version="1.0.0",
    author="example",
    description="A function that greets.",
    labels=["lambda", "example"],
)
CfnOutput(stack, "BucketName", value=published.bucket.bucket_name)
app.synth()
